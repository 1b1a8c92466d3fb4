# SPDX-License-Identifier: Apache-2.0
"""What readers get, seen from inside the process: no tracer, no root.

The library keeps its symbols: its `step_sink` is pointed at functions of ours, and semaphores are
raised as the kernel does it.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from elftools.elf.elffile import ELFFile
from harness import LIBRARY
from notes import notes

from pyusdt.commands.probes import table

STEP = ctypes.PYFUNCTYPE(None, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_bool)
MARK = ctypes.PYFUNCTYPE(None, ctypes.c_char_p, ctypes.c_uint64, ctypes.py_object)


class Sink(ctypes.Structure):
    _fields_ = (("step", STEP), ("mark", MARK))


class Step(NamedTuple):
    name: str
    start: int
    """Ticks, as in all of these."""
    elapsed: int
    failed: bool


class Mark(NamedTuple):
    name: str
    at: int
    value: object


class Reader:
    """What was told, in the order in which it was."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.marks: list[Mark] = []
        self.sink = Sink(STEP(self._step), MARK(self._mark))

    def _step(self, name: bytes, start: int, elapsed: int, failed: bool) -> None:
        self.steps.append(Step(name.decode(), start, elapsed, failed))

    def _mark(self, name: bytes, at: int, value: object) -> None:
        self.marks.append(Mark(name.decode(), at, value))

    def names(self) -> list[str]:
        return [step.name for step in self.steps]

    def entries(self) -> list[int]:
        """For each step in the order of their ends: which start its own was, counted from 0."""
        starts = sorted(step.start for step in self.steps)
        assert len(set(starts)) == len(starts)
        return [starts.index(step.start) for step in self.steps]


@functools.cache
def base() -> int:
    """Where the library's address 0 is in this process."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split(maxsplit=5)
        if fields[5:] == [str(LIBRARY)] and int(fields[2], 16) == 0:
            return int(fields[0].split("-")[0], 16)
    raise AssertionError(f"{LIBRARY} is not loaded")


@functools.cache
def symbol(name: str) -> int:
    """The address of a variable or function that the library keeps to itself."""
    with LIBRARY.open("rb") as file:
        (found,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name(name)
        return base() + int(found["st_value"])


def nanoseconds(ticks: int) -> int:
    convert = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64)(symbol("clock_ns"))
    return int(convert(ticks))


@contextmanager
def reading() -> Iterator[Reader]:
    reader = Reader()
    variable = ctypes.c_void_p.from_address(symbol("step_sink"))
    assert not variable.value
    variable.value = ctypes.addressof(reader.sink)
    try:
        yield reader
    finally:
        variable.value = None


@contextmanager
def watched(*probes: str) -> Iterator[None]:
    """Raise the semaphores of the probes: they fire, with all that it takes, at nobody."""
    found = notes(LIBRARY)
    counters = [ctypes.c_uint16.from_address(base() + found[p].semaphore) for p in probes]
    for counter in counters:
        counter.value += 1
    try:
        yield
    finally:
        for counter in counters:
            counter.value -= 1


def fired(probe: str) -> int:
    """How often the probe was fired so far."""
    index = [row.name for row in table()].index(probe)
    return ctypes.c_uint64.from_address(symbol("probes_fired") + 8 * index).value
