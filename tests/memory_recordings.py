# SPDX-License-Identifier: Apache-2.0
"""Recordings of memory with known answers."""

from dataclasses import replace

from recordings import snapshot_of

from pyusdt.recording import Snapshot
from pyusdt.recording.memory import MemoryFigures, MemoryRow, ResidentRow

MAIN, WORK, APPEND, SMALL = 1, 2, 3, 4
SOURCE = """\
def main():
    kept = []
    work(kept)


def work(kept):
    text = bytes(4_000_000)
    for i in range(100):
        kept.append(bytes(1000))
"""
TEXT = MemoryFigures(4_000_033, 1, 4_000_033, 1, 4_000_033, 1, 4_000_033, 1, 4_000_033)
LEAK = MemoryFigures(103_300, 100, 0, 0, 0, 0, 51_650, 50, 1033)
LIST = MemoryFigures(3_000, 9, 2_080, 8, 0, 0, 500, 1, 920)
KEPT = MemoryFigures(56, 1, 0, 0, 0, 0, 56, 1, 56)
WORKER = MemoryFigures(20_000, 20, 10_000, 10, 10_000, 10, 0, 0, 1000)
THREAD = MemoryFigures(700, 7, 300, 3, 100, 1, 600, 6, 100)
NATIVE = MemoryFigures(65_536, 1, 0, 0, 0, 0, 65_536, 1, 65_536)
GIVEN_UP = MemoryFigures(500, 5, 0, 0, 0, 0, 0, 0, 100)
ROWS = [
    MemoryRow(0, 0, MAIN, 2, MAIN, KEPT),
    MemoryRow(0, 1, WORK, 7, WORK, TEXT),
    MemoryRow(0, 1, WORK, 9, WORK, LEAK),
    MemoryRow(0, 2, APPEND, 9, WORK, LIST),
    MemoryRow(1, 0, WORK, 0, -1, WORKER),
    MemoryRow(1, -1, -1, 0, -1, THREAD),
    MemoryRow(-1, -1, -1, 0, -1, NATIVE),
]
MB = 1_000_000


def held(
    scale: int = 1, *, kinds: str = "all", lines: bool = True, given_up: bool = False
) -> Snapshot:
    """main calls work, which calls list.append, in C, 100 times; work in a worker, and a thread
    that no Python runs in. Figures are times `scale`, but for what a process has in RAM."""
    rows = ROWS + [MemoryRow(0, -1, SMALL, 0, -1, GIVEN_UP)] * given_up
    if not lines:
        rows = [row._replace(line=0, line_function=-1) for row in rows if row[5] is not TEXT]
    it = snapshot_of(
        threads=[(100, "MainThread", 100), (101, "worker-1", 50)],
        functions=[
            (MAIN, "app", "main", "main", "/srv/app.py", 1),
            (WORK, "app", "work", "work", "/srv/app.py", 6),
            (APPEND, "builtins", "list.append", "append", "", 0),
            (SMALL, "app", "small", "small", "/srv/app.py", 20),
        ],
        nodes=[
            (0, 0, -1, MAIN, 1, 0, 0, 100, 20),
            (0, 1, 0, WORK, 1, 0, 0, 80, 70),
            (0, 2, 1, APPEND, 100, 0, 0, 10, 10),
            (1, 0, -1, WORK, 1, 0, 0, 50, 50),
        ],
        totals=[
            (0, MAIN, 1, 1, 0, 0, 100, 20),
            (0, WORK, 1, 1, 0, 0, 80, 70),
            (0, APPEND, 100, 100, 0, 0, 10, 10),
            (1, WORK, 1, 1, 0, 0, 50, 50),
            *[(0, SMALL, 5, 5, 0, 0, 5, 5)] * given_up,
        ],
        losses={"calls beyond max_nodes": 5} if given_up else {},
        lines=[(0, MAIN, 2, 1, 0, 1, 1), (0, MAIN, 3, 1, 0, 90, 1), (0, WORK, 7, 2, 0, 1, 1),
               (0, WORK, 9, 100, 0, 9, 9)] if lines else [],
        sources={"/srv/app.py": SOURCE} if lines else {},
    )  # fmt: skip
    scaled = [
        row._replace(figures=row.figures._make(n * scale for n in row.figures)) for row in rows
    ]
    resident = [
        ResidentRow(i * 10_000_000, rss * MB, 0, 40 * MB)
        for i, rss in enumerate((10, 20, 30, 38, 12))
    ]
    return replace(it, memory=scaled, memory_kinds=kinds, resident=resident)
