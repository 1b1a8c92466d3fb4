# SPDX-License-Identifier: Apache-2.0
"""Text that others chose, made harmless for a terminal: all of it goes through here.

Names, paths, command lines and what a process hands over may hold escape sequences, characters that
turn the direction of text, ends of lines, and bytes that are no UTF-8. A terminal gets each of them
as an escape that can be read.
"""

_PLAIN = bytes(range(0x20, 0x7F)) + b"\t\n"


def printable(text: str, longest: int | None = 200) -> str:
    r"""`text` on one line: what is no printable character becomes \n, \x1b, \u202e ...

    A text over `longest` characters loses its middle.
    """
    if longest is not None and len(text) > 2 * longest:
        text = text[:longest] + text[-longest:]  # what is between is not shown
    shown = _escaped(text, "")
    if longest is not None and len(shown) > longest:
        half = (longest - 1) // 2
        shown = f"{shown[:half]}…{shown[-half:]}"
    return shown


def relayed(output: bytes) -> bytes:
    r"""What another program prints, in whole lines: tabs and ends of lines stay, a byte that is no
    UTF-8 becomes \xff."""
    if not output.translate(None, _PLAIN):
        return output
    return _escaped(output.decode(errors="backslashreplace"), "\t\n").encode()


def _escaped(text: str, kept: str) -> str:
    """`text` with escapes for what str.isprintable() denies: controls of both sets, formats such as
    bidi and zero-width ones, separators but for the space, surrogates, what Unicode has not."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
