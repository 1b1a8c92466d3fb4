# SPDX-License-Identifier: Apache-2.0
"""What the user can put right, and how the command line ends."""

import sys
from collections.abc import Iterable
from contextlib import suppress
from enum import IntEnum

from pyusdt.harmless import printable
from pyusdt.system import os


class ExitCode(IntEnum):
    """How the command line ends. A program that was launched ends with its own code."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    INTERRUPTED = 130
    """Ctrl-C: 128 + SIGINT, as a shell counts it."""
    PIPE_CLOSED = 141
    """Nobody reads our output any more: 128 + SIGPIPE."""


class UserError(Exception):
    """Something that the user can put right: the message names what, where and the remedy.

    The command line turns it into one line on stderr and the exit code.
    """

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILURE) -> None:
        super().__init__(message)
        self.code = code


class UsageError(UserError):
    """A command line that cannot be understood."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.USAGE)


def print_line(message: object) -> None:
    """Print a line on stderr, past Python's buffers. A failure to write it is ignored. Where stderr
    was closed when Python started, its number may be that of a file: nothing is printed."""
    if sys.__stderr__ is None:
        return
    with suppress(OSError):
        os.write(2, f"pyusdt: {one_line(message)}\n".encode(errors="backslashreplace"))


def one_line(message: object) -> str:
    """`message`, whole, as a terminal may get it: it may name what others chose."""
    return printable(str(message), None)


def called() -> str:
    """How the command line was called, for its own messages; before a program has its sys.argv."""
    return "pyusdt" if os.path.basename(sys.argv[0]) == "pyusdt" else "python -m pyusdt"


def shell_word(text: str) -> str:
    """`text` as a shell takes it, also where it has bytes that no terminal shows as they are."""
    from shlex import quote

    if text.isprintable():
        return quote(text)
    shown = (
        chr(b) if 32 <= b < 127 and b not in b"'\\" else f"\\x{b:02x}" for b in os.fsencode(text)
    )
    return f"$'{''.join(shown)}'"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the end of a message, naming the one of `known` that `word` may stand for, or ""."""
    from difflib import get_close_matches

    matches = get_close_matches(word, known, n=1)
    return f"; did you mean '{matches[0]}'?" if matches else ""
