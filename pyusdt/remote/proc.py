# SPDX-License-Identifier: Apache-2.0
"""What the kernel shows of a process in /proc (proc(5)).

Unless a function promises otherwise, it raises OSError: FileNotFoundError or ProcessLookupError
where the process has ended, PermissionError where we may not look into it.
"""

import os
import re
import stat as stat_modes
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

_MAPPING = re.compile(
    rb"([0-9a-f]+)-([0-9a-f]+) .{4} ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) ([0-9]+) +(/.*)"
)
_DELETED = " (deleted)"
_MOST_MAPS = 16 << 20
"""Bytes of a process's mappings that are read: a crafted one has hundreds of millions."""
_MOST_COMMAND = 64 << 10
"""The same of its command line."""
_PF_EXITING = 4  # include/linux/sched.h


class Stat(NamedTuple):
    """The beginning of /proc/PID/stat."""

    state: str
    """One letter, as in ps; of the first thread."""
    parent: int
    flags: int
    started: float
    """Seconds after the machine's start, to about 0.01."""

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


def is_ending(pid: int) -> bool:
    """Whether a process has ended, or is about to. Raises nothing."""
    try:
        return stat(pid).is_ending
    except OSError:
        return True


def stat(pid: int) -> Stat:
    """The command's name in parentheses comes before the fields, and may hold anything."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        state, parent, *rest = file.read().rpartition(b")")[2].split()
    started = int(rest[17]) / os.sysconf("SC_CLK_TCK")
    return Stat(state.decode(), int(parent), int(rest[4]), started)


def children(pid: int) -> list[int]:
    """Those that its threads have started and that are there still, zombies too; none where we
    cannot find out. Raises nothing."""
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), open(f"/proc/{pid}/task/{thread}/children") as file:
                found += map(int, file.read().split())
    return found


def below(pid: int) -> list[int]:
    """Those that it, or one of these, has started and that are there still. Raises nothing."""
    found: list[int] = []
    parents = [pid]
    while parents:
        new = [child for child in children(parents.pop()) if child not in found]
        found += new
        parents += new
    return found


def memory(pid: int) -> int:
    """How many bytes it has in memory and in swap, to some MB."""
    total = 0
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(("VmRSS:", "VmSwap:")):
                total += int(line.split()[1]) * 1024
    return total


def own_pid(pid: int) -> int:
    """The process's number as it sees itself."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    return pid


def mappings(pid: int, word: bytes) -> Iterator[Mapping]:
    """The files in its memory whose paths have `word`, by where they begin; of a crafted process
    with too many, not all."""
    with open(f"/proc/{pid}/maps", "rb") as maps:
        left = _MOST_MAPS
        while left > 0 and (line := maps.readline()):
            left -= len(line)
            found = _MAPPING.match(line) if word in line else None
            if found is None or int(found[3], 16) != 0:
                continue
            path = os.fsdecode(found[6]).removesuffix(_DELETED).replace("\\012", "\n")
            base, end = int(found[1], 16), int(found[2], 16)
            yield Mapping(base, end, found[4].decode(), int(found[5]), path)


def path_of(pid: int, mapping: Mapping) -> str | None:
    """A path by which we can open the file that is mapped, or None: it is not there any more.

    It leads through the process's own root, which may be in another mount namespace. Of a process
    in a chroot without mounts of its own, the kernel shows the path as it is from here. Whoever
    opens it may find something else there, or somewhere else: see `open_mapped`.
    """
    for path in (f"/proc/{pid}/root{mapping.path}", mapping.path):
        with suppress(OSError):
            if _is_of(os.lstat(path), mapping):
                return path
    return None


def open_mapped(pid: int, mapping: Mapping) -> int:
    """Open the file that is mapped to read it, never waiting; nothing that is no file is opened.

    By the mapping itself, which has the file still where another one has taken its place. That
    takes root; others go by its path. Raises PermissionError where neither leads to it.
    """
    name = f"{mapping.base:x}-{mapping.end:x}"
    for path in (f"/proc/{pid}/map_files/{name}", path_of(pid, mapping)):
        with suppress(OSError):
            if path is not None:
                return _open_file(path, mapping)
    raise PermissionError


def _open_file(path: str, mapping: Mapping) -> int:
    """What is at the path is looked at before it is opened, and cannot change in between."""
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not _is_of(os.fstat(place), mapping):
            raise PermissionError
        return os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    finally:
        os.close(place)


def _is_of(it: os.stat_result, mapping: Mapping) -> bool:
    """Whether this is the file that is mapped. Its device does not count: overlays show another."""
    return it.st_ino == mapping.inode and stat_modes.S_ISREG(it.st_mode)


def command_of(pid: int) -> str:
    """The command line, as far as anybody reads it; "" when the process has ended. Raises
    nothing."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:
            words = file.read(_MOST_COMMAND).rstrip(b"\0")
    except OSError:
        return ""
    return words.replace(b"\0", b" ").decode(errors="replace")
