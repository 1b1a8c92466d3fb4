# SPDX-License-Identifier: Apache-2.0
"""What was allocated, as a recording holds it."""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from pyusdt.recording.build import DamageError
from pyusdt.recording.memory import MemoryFigures, MemoryRow, ResidentRow
from pyusdt.recording.records import CodeRecord
from pyusdt.recording.tree import Node, paths


class Allocated(NamedTuple):
    """The same in a recording: functions are indices into `Recording.records`, -1 for none."""

    process: int
    thread: int
    node: int
    function: int
    line: int
    line_function: int
    figures: MemoryFigures


class MemoryPlace(NamedTuple):
    """What a function has allocated, at a line, in all processes and threads."""

    record: CodeRecord | None
    """None: threads outside of all functions, and those that no Python runs in."""
    line: int
    """0: not known."""
    line_record: CodeRecord | None
    """Whose line it is: the function, or, where that is in C, what called it."""
    figures: MemoryFigures


def allocated_of(
    process: int, rows: Iterable[MemoryRow], place: Mapping[int, int]
) -> list[Allocated]:
    """What `Recording.memory` holds for a process; `place` maps a function id to its index. Raise
    DamageError where a row names what is not there."""
    found = []
    for row in rows:
        for function in (row.function, row.line_function):
            if function != -1 and function not in place:
                raise DamageError(f"memory names function {function}, which is not there")
        function, of = place.get(row.function, -1), place.get(row.line_function, -1)
        found.append(Allocated(process, *row[:2], function, row.line, of, row.figures))
    return found


ByNode = dict[tuple[int, int], dict[int, dict[int, MemoryFigures]]]
"""By process and thread: what its nodes have by line, and, at -1, the thread itself."""

OUTSIDE = -1
"""In the place of a function: threads outside of all functions."""
NATIVE = -2
"""Threads that no Python runs in."""


def by_node(rows: Iterable[Allocated]) -> ByNode:
    sums: ByNode = {}
    for row in rows:
        if row.thread >= 0 and (row.node >= 0 or row.function < 0):
            of = sums.setdefault(row[:2], {}).setdefault(row.node, {})
            line = row.line if row.line_function >= 0 else 0
            of[line] = of[line].plus(row.figures) if line in of else row.figures
    return sums


def by_function(rows: Iterable[Allocated]) -> dict[int, MemoryFigures]:
    """What functions have allocated, and what OUTSIDE and NATIVE stand for."""
    sums: dict[int, MemoryFigures] = {}
    for row in rows:
        index = NATIVE if row.function < 0 and row.thread < 0 else row.function
        sums[index] = sums[index].plus(row.figures) if index in sums else row.figures
    return sums


def by_line(rows: Iterable[Allocated]) -> dict[tuple[int, int], MemoryFigures]:
    """By function and line, also what functions in C have allocated that the line has called."""
    sums: dict[tuple[int, int], MemoryFigures] = {}
    for row in rows:
        if row.line and row.line_function >= 0:
            key = row.line_function, row.line
            sums[key] = sums[key].plus(row.figures) if key in sums else row.figures
    return sums


def in_no_context(rows: Iterable[Allocated]) -> dict[tuple[int, int], MemoryFigures]:
    """By process and thread: what no tree has, since its contexts were given up."""
    sums: dict[tuple[int, int], MemoryFigures] = {}
    for row in rows:
        if row.thread >= 0 and row.node < 0 and row.function >= 0:
            key = row[:2]
            sums[key] = sums[key].plus(row.figures) if key in sums else row.figures
    return sums


def places_of(records: Sequence[CodeRecord], rows: Iterable[Allocated]) -> list[MemoryPlace]:
    """Those with the most at the peak first."""
    sums: dict[tuple[int, int, int], MemoryFigures] = {}
    for row in rows:
        key = row.function, row.line, row.line_function
        sums[key] = sums[key].plus(row.figures) if key in sums else row.figures
    found = [
        MemoryPlace(
            records[function] if function >= 0 else None,
            line,
            records[of] if of >= 0 else None,
            figures,
        )
        for (function, line, of), figures in sums.items()
    ]
    return sorted(found, key=lambda it: (-it.figures.peak_bytes, -it.figures.allocated_bytes))


def of_tree(process: int, thread: int, root: Node, is_c: Callable[[int], bool]) -> list[Allocated]:
    """The rows that by_node() would make this tree of; its contexts are numbered anew."""
    found = [
        Allocated(process, thread, OUTSIDE, OUTSIDE, 0, -1, figures)
        for figures in (root.held or {}).values()
    ]
    path = [root.function]
    for number, (node, entering) in enumerate(paths(root)):
        if not entering:
            path.pop()
            continue
        caller = path[-1]
        path.append(node.function)
        for line, figures in (node.held or {}).items():
            of = -1 if not line else caller if is_c(node.function) else node.function
            line = line if of >= 0 else 0
            found.append(Allocated(process, thread, number, node.function, line, of, figures))
    return found


def read(database: sqlite3.Connection, place: Mapping[int, int]) -> list[Allocated]:
    """What `Recording.memory` holds, from a recording whose tables have been checked."""
    found: list[Allocated] = []
    for process, *row in database.execute(
        "SELECT process, thread, node, function, line, line_function, allocated_bytes,"
        " allocated_blocks, freed_bytes, freed_blocks, temporary_bytes, temporary_blocks,"
        " peak_bytes, peak_blocks, biggest FROM memory"
    ):
        it = MemoryRow._make((*row[:5], MemoryFigures._make(row[5:])))
        found += allocated_of(process, [it], place)
    return found


def resident(database: sqlite3.Connection) -> dict[int, list[ResidentRow]]:
    """What `Recording.resident` holds."""
    found: dict[int, list[ResidentRow]] = {}
    for process, *row in database.execute(
        "SELECT process, at_ns, rss_bytes, swap_bytes, peak_bytes FROM resident"
        " ORDER BY process, at_ns"
    ):
        found.setdefault(process, []).append(ResidentRow._make(row))
    return found
