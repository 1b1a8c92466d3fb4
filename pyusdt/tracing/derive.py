# SPDX-License-Identifier: Apache-2.0
"""A script of the collection as `pyusdt trace` runs it: it prints data, and we the answer.

People run the scripts through bpftrace itself, too: so each ends with headings for them, and keys
its maps by names that are cut. What we run prints all of its maps whole, as bpftrace does where no
END clears them, and keeps the whole names of functions by their id, in maps of its own.
"""

import re

SEPARATOR = "\x1f"
"""Between the fields of a line that a live script prints."""

PART = "\x1e"
"""Between the parts of a path."""

NAME_PARTS = 4
PATH_PARTS = 4
PART_BYTES = 63
"""Of a name in each part: as many as bpftrace 0.17 has in one string."""

_ESCAPED_PART = r"\x1e"
_END = re.compile(r"\nEND\n\{\n.*?\n\}\n", re.DOTALL)
_BEGIN = re.compile(r"\nBEGIN\n\{\n.*?\n\}\n", re.DOTALL)
_FORMAT = re.compile(r'(?<=printf\(")[^"]*(?=")')
_PATH = re.compile(r'%s\\n"(, [^;]*), str\(([^;]*), 128\)\);')
_PADDING = re.compile(r"%-?[1-9]\d*")

# code__new fires for all known functions, again and again: new ones, and those of another
# program in the same process, have another address.
_NAMES = (
    """
usdt:$1:pyusdt:code__new
/@pyusdt_at[pid, arg0] != arg2/
{
	@pyusdt_at[pid, arg0] = arg2;
	@pyusdt_line[pid, arg0] = arg4;
	@pyusdt_module[pid, arg0] = str(arg1, 64);
"""
    + "".join(
        f"\t@pyusdt_name{i}[pid, arg0] = str(arg2 + {i * PART_BYTES}, 64);\n"
        for i in range(NAME_PARTS)
    )
    + "}\n"
)


def derived(source: str, *, names: bool) -> str:
    """`source` without its headings, with the names of functions where `names` are wanted; the
    fields of what it prints while it runs are parted by SEPARATOR."""
    begin = _BEGIN.search(source)
    at = begin.end() if begin else 0
    events = _PATH.sub(_whole, _FORMAT.sub(_parted, _END.sub("\n", source[at:])))
    return source[:at] + events + (_NAMES if names else "")


def _whole(found: re.Match[str]) -> str:
    """A path in parts: a string of bpftrace 0.17 has no room for it."""
    text = f'%s"{found[1]}, str({found[2]}, 64));'
    for i in range(1, PATH_PARTS):
        end = r"\n" if i + 1 == PATH_PARTS else ""
        text += f'\n\tprintf("{_ESCAPED_PART}%s{end}", str({found[2]} + {i * PART_BYTES}, 64));'
    return text


def joined(parts: list[str]) -> str:
    """A text of its parts, as bytes that may be no UTF-8: what follows a part that is not full is
    not of it."""
    raw = b""
    for part in parts:
        piece = part.encode(errors="surrogateescape")
        raw += piece
        if len(piece) < PART_BYTES:
            return raw.decode(errors="replace")
    return raw.decode(errors="replace") + "\N{HORIZONTAL ELLIPSIS}"


def _parted(found: re.Match[str]) -> str:
    return _PADDING.sub("%", found[0]).replace(" ", r"\x1f")
