# SPDX-License-Identifier: Apache-2.0
"""A program that allocates what its standard input says; TAKES is the library of takes.c."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import sys
from typing import Any

from recorder.programs.takes import load

import pyusdt

MIB = 1 << 20
library = load(os.environ["TAKES"])
kept: list[Any] = []


class Allocator(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free")]


def hooks() -> list[Any]:
    """What is called for each of Python's domains, and by C code."""
    found = Allocator()
    all_ = [library.hooked()]
    for domain in range(3):
        ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(found))
        all_.append([getattr(found, name) for name, _ in Allocator._fields_])
    return all_


def of_python() -> None:
    kept.append(bytes(2 * MIB))


def of_mmap() -> None:
    kept.append(mmap.mmap(-1, 3 * MIB))


def of_malloc() -> None:
    library.give(library.take(5 * MIB))


def of_realloc() -> None:
    block = library.move(library.take(1000), 4 * MIB)
    library.give(block)


def of_list() -> None:
    kept.append([None] * (2 * MIB // 8))


def elsewhere() -> None:
    library.give(library.take_elsewhere(6 * MIB))


def just_enough() -> None:
    library.give(library.take(MIB))


def too_small() -> None:
    kept.append(bytes(MIB - 100))
    library.give(library.move(library.take(MIB // 2), MIB - 1))
    kept.append(mmap.mmap(-1, MIB // 2))


def quarter() -> None:
    library.give(library.take(MIB // 4))


def allocate() -> None:
    for function in (of_python, of_mmap, of_malloc, of_realloc, of_list, elsewhere, just_enough):
        function()
    too_small()
    kept.clear()


def fired() -> int:
    return pyusdt.status()["probes_fired"].get("mem__large", 0)


def wait_until_it_fires() -> None:
    """Native hooks come last."""
    before = fired()
    while fired() == before:
        library.give(library.take(64 * MIB))


def wait_until_hooks_are(wanted: list[Any]) -> None:
    while hooks() != wanted:
        os.sched_yield()


def in_child(work: Any) -> None:
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def times_recorded(recording: pyusdt.Recording) -> int:
    """How often of_malloc() took its block, which is far larger than all else that it takes."""
    rows = [row for row in recording.memory_rows if row.record]
    taken = (row.figures.allocated_bytes for row in rows if row.record.qualname == "of_malloc")
    return sum(taken) // (5 * MIB)


def main() -> None:
    before = hooks()
    recorder: Any = None
    print("ready", flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "do":
            globals()[arguments[0]]()
        elif command == "fires":
            wait_until_it_fires()
        elif command == "unhooked":
            wait_until_hooks_are(before)
        elif command == "hooks":
            print(f"hooks {json.dumps([a != b for a, b in zip(hooks(), before)])}", flush=True)
        elif command == "large":
            pyusdt.configure(large=arguments[0])
        elif command == "fork":
            in_child(allocate)
        elif command == "record":
            recorder = pyusdt.record(memory=arguments[0])
            recorder.__enter__()
        elif command == "recorded":
            recorder.__exit__(None, None, None)
            print(f"recorded {times_recorded(recorder.recording)}", flush=True)
        elif command == "exec":
            os.execv(sys.executable, [sys.executable, __file__])
        print(f"done {command}", flush=True)


main()
