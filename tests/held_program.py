# SPDX-License-Identifier: Apache-2.0
"""Recordings with memory whose answers are known."""

from dataclasses import replace

from recordings import MS, hostile, lined, snapshot_of

from pyusdt.recording import Recording, Snapshot
from pyusdt.recording.memory import MemoryFigures, MemoryRow, ResidentRow
from pyusdt.recording.records import Process

MB = 1_000_000
BEGIN = 5_000 * MS  # on CLOCK_MONOTONIC
BIG = MemoryFigures(100 * MB, 2, 100 * MB, 2, 100 * MB, 2, 80 * MB, 1, 60 * MB)
CACHE = MemoryFigures(3_000_123, 3_000, 1_000, 1, 1_000, 1, 2_000_000, 2_000, 1_000)
ITEMS = MemoryFigures(600_000, 50, 400_000, 40, 0, 0, 300_000, 30, 77_000)
LOST = MemoryFigures(7_000, 7, 0, 0, 0, 0, 5_000, 5, 1_000)
THREAD = MemoryFigures(900, 9, 300, 3, 0, 0, 800, 8, 100)
NATIVE = MemoryFigures(11 * MB, 1, 0, 0, 0, 0, 11 * MB, 1, 11 * MB)
ROWS = [
    MemoryRow(0, 0, 1, 3, 1, CACHE),
    MemoryRow(0, 1, 2, 9, 2, BIG),
    MemoryRow(1, 0, 2, 9, 2, ITEMS),
    MemoryRow(1, -1, 2, 10, 2, LOST),
    MemoryRow(1, -1, -1, 0, -1, THREAD),
    MemoryRow(-1, -1, -1, 0, -1, NATIVE),
]
"""Of `recordings.lined()`: the cache of main, what work takes, what a context that was given up
did, what a thread has outside of all functions, and what is of no thread."""


def held(kinds: str = "all", begin: int = BEGIN) -> Snapshot:
    """`lined()` with `ROWS`; in RAM 30 MB, and most, 150 MB, 70 ms after the first point; the step
    "load" runs from 40 to 80 ms and the mark "loaded" is at 90 ms."""
    rss = [30, 40, 60, 150, 90, 50]
    points = [
        ResidentRow(begin + at * MS, mb * MB, mb * MB // 10 if mb == 90 else 0, max(rss) * MB)
        for at, mb in zip([0, 20, 50, 70, 90, 100], rss, strict=True)
    ]
    steps = [
        ("load", "step", 1, begin + 40 * MS, 40 * MS, None),
        ("loaded", "mark", 2, begin + 90 * MS, None, 1),
    ]
    known = replace(lined(charges=True), steps=snapshot_of(steps=steps).steps)
    return replace(known, memory=ROWS, memory_kinds=kinds, resident=points)


def two_processes() -> Recording:
    """Of the second, which began 1 s later, all is as of the first."""
    parts = [
        Recording.from_snapshot(
            held(begin=BEGIN + i * 1_000 * MS),
            Process(i, 700 + i, 1, started_ns=BEGIN, started_monotonic_ns=BEGIN),
        )
        for i in range(2)
    ]
    first, second = parts
    return replace(
        first,
        processes=[*first.processes, *second.processes],
        threads=[*first.threads, *second.threads],
        charges={**first.charges, **second.charges},
        lines={**first.lines, **second.lines},
        memory=[*first.memory, *second.memory],
        resident={**first.resident, **second.resident},
        step_rows={**first.step_rows, **second.step_rows},
    )


def hostile_held() -> Snapshot:
    """`hostile()` with memory of its functions, and points in time."""
    known = hostile()
    rows = [MemoryRow(0, i, i, i or 1, i, ITEMS) for i in range(len(known.functions))]
    points = [ResidentRow(at, 10 * MB + at, 0, 20 * MB) for at in (0, MS)]
    return replace(known, memory=rows, memory_kinds="all", resident=points)
