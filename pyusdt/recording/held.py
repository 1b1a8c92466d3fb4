# SPDX-License-Identifier: Apache-2.0
"""What was allocated, as a recording holds it."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from pyusdt.recording.build import DamageError
from pyusdt.recording.memory import NOTHING, MemoryFigures, MemoryRow, ResidentRow
from pyusdt.recording.records import CodeRecord


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


ByNode = dict[tuple[int, int], dict[int, MemoryFigures]]
"""By process and thread: what its nodes have, and, at -1, the thread itself."""


def by_node(rows: Iterable[Allocated]) -> ByNode:
    sums: ByNode = {}
    for row in rows:
        if row.thread >= 0 and (row.node >= 0 or row.function < 0):
            of = sums.setdefault(row[:2], {})
            of[row.node] = of[row.node].plus(row.figures) if row.node in of else row.figures
    return sums


def total(rows: Iterable[Allocated]) -> MemoryFigures:
    figures = NOTHING
    for row in rows:
        figures = figures.plus(row.figures)
    return figures


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


def only(rows: Iterable[Allocated], chosen: Collection[int]) -> list[Allocated]:
    """What those functions have. What the others had is of no function any more, but where these
    are in C: then it is that of the line which called them."""
    found = []
    for row in rows:
        if row.function in chosen or row.function < 0:
            found.append(row)
        elif row.line_function in chosen:
            found.append(row._replace(node=-1, function=row.line_function))
        else:
            found.append(row._replace(node=-1, function=-1, line=0, line_function=-1))
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
