# SPDX-License-Identifier: Apache-2.0
"""What the kernel shows of a process in /proc (proc(5)).

Unless a function promises otherwise, it raises OSError: FileNotFoundError or ProcessLookupError
where the process has ended, PermissionError where we may not look into it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

_MAPPING = re.compile(
    rb"([0-9a-f]+)-([0-9a-f]+) .{4} ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) ([0-9]+) +(/.*)"
)
_DELETED = " (deleted)"
_PF_EXITING = 4  # include/linux/sched.h


class Stat(NamedTuple):
    """The beginning of /proc/PID/stat."""

    state: str
    """One letter, as in ps; of the first thread."""
    parent: int
    flags: int

    @property
    def is_ending(self) -> bool:
        """A process loses its memory before it is a zombie: the flag PF_EXITING is set first."""
        return self.state in "ZX" or bool(self.flags & _PF_EXITING)


class Mapping(NamedTuple):
    """A file in a process's memory: the first mapping of it."""

    base: int
    """Where it begins in memory."""
    end: int
    """Where this mapping ends."""
    device: str
    inode: int
    path: str
    """As far as the kernel can name it from here: not always a path that can be opened."""


def exists(pid: int) -> bool:
    """Whether there is such a process; it may be a zombie. Raises nothing."""
    return os.path.exists(f"/proc/{pid}")


def pids() -> list[int]:
    """All processes."""
    return sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())


def stat(pid: int) -> Stat:
    """The command's name in parentheses comes before the fields, and may hold anything."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        state, parent, _, _, _, _, flags, *_ = file.read().rpartition(b")")[2].split()
    return Stat(state.decode(), int(parent), int(flags))


def mappings(pid: int, word: bytes) -> Iterator[Mapping]:
    """The files in its memory whose paths have `word`, by where they begin."""
    with open(f"/proc/{pid}/maps", "rb") as maps:
        for line in maps:
            found = _MAPPING.match(line) if word in line else None
            if found is None or int(found[3], 16) != 0:
                continue
            path = os.fsdecode(found[6]).removesuffix(_DELETED).replace("\\012", "\n")
            base, end = int(found[1], 16), int(found[2], 16)
            yield Mapping(base, end, found[4].decode(), int(found[5]), path)


def path_of(pid: int, mapping: Mapping) -> str | None:
    """A path by which we can open the file that is mapped, or None: it is not there any more.

    It leads through the process's own root, which may be in another mount namespace. Of a process
    in a chroot without mounts of its own, the kernel shows the path as it is from here.
    """
    for path in (f"/proc/{pid}/root{mapping.path}", mapping.path):
        with suppress(OSError):
            if os.stat(path).st_ino == mapping.inode:
                return path
    return None


def command_of(pid: int) -> str:
    """The command line, or "" when the process has ended. Raises nothing."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
