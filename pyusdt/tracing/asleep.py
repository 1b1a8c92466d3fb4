# SPDX-License-Identifier: Apache-2.0
"""What the threads of running processes wait for, as /proc shows it, and the interpreter's lock."""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress

from pyusdt.remote import elf, proc
from pyusdt.tracing.system_calls import BY_DESCRIPTOR, waits

_MOST = 500
"""Threads that are looked at."""


def waits_of(pids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Those that wait, by tid: their process, and for what. Raises nothing."""
    found: dict[int, tuple[int, str]] = {}
    for pid in pids:
        with suppress(OSError):
            for tid in map(int, os.listdir(f"/proc/{pid}/task")):
                wait = _wait_of(pid, tid)
                if wait and len(found) < _MOST:
                    found[tid] = pid, wait
    return found


def _wait_of(pid: int, tid: int) -> str:
    """One of system_calls.WAITS; "": it runs, or has ended."""
    with suppress(OSError, ValueError), open(f"/proc/{pid}/task/{tid}/syscall") as file:
        words = file.read().split()
        if words[:1] == ["running"]:
            return ""
        wait = waits().get(int(words[0]), "other")
        return _of_descriptor(pid, int(words[1], 16)) if wait == BY_DESCRIPTOR else wait
    return ""


def _of_descriptor(pid: int, fd: int) -> str:
    with suppress(OSError):
        mode = os.stat(f"/proc/{pid}/fd/{fd}").st_mode
        is_file = stat.S_ISREG(mode) or stat.S_ISBLK(mode) or stat.S_ISDIR(mode)
        return "disk" if is_file else "net"
    return "other"


def gils_of(pids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Where the interpreter's own data begin and end in each process, as far as that is known: no
    lock is in there but the main interpreter's GIL. Raises nothing."""
    found: dict[int, tuple[int, int]] = {}
    for pid in pids:
        with suppress(OSError):
            program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
            for name in (b"/libpython3", b"/" + os.fsencode(program)):
                for mapping in proc.mappings(pid, name):
                    place = _runtime_in(pid, mapping)
                    if place and pid not in found:
                        found[pid] = place
    return found


def _runtime_in(pid: int, mapping: proc.Mapping) -> tuple[int, int] | None:
    with suppress(OSError, ValueError):
        file = proc.open_mapped(pid, mapping)
        try:
            place = elf.place_of(b"_PyRuntime", file)
        finally:
            os.close(file)
        return place and (mapping.base + place[0], mapping.base + sum(place))
    return None
