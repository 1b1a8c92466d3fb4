# SPDX-License-Identifier: Apache-2.0
"""What lives, by its age, and what has grown, as a recording holds it."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pyusdt.recording.aging import GrowthRow, LivingRow
from pyusdt.recording.build import DamageError
from pyusdt.recording.records import CodeRecord
from pyusdt.recording.snapshot import Snapshot, StepRow, clean
from pyusdt.recording.trend import Trend, trend


class Living(NamedTuple):
    """What lives of it, of what was allocated in a period; `since_ns` as in `aging.LivingRow`."""

    process: int
    thread: int
    node: int
    function: int
    line: int
    line_function: int
    since_ns: int
    bytes: int
    blocks: int


class Grown(NamedTuple):
    """What was alive of it at the end of a step; see `aging.GrowthRow`."""

    process: int
    thread: int
    node: int
    function: int
    line: int
    line_function: int
    name: str
    iteration: int
    bytes: int


class Point(NamedTuple):
    """The end of a step at which it was looked what is alive; see `aging.PointRow`."""

    process: int
    name: str
    iteration: int
    bytes: int
    changing: int


@dataclass(slots=True)
class Aged:
    """What a recording holds of them."""

    living: list[Living] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    grown: list[Grown] = field(default_factory=list)

    @classmethod
    def of(cls, process: int, snapshot: Snapshot, place: Mapping[int, int]) -> "Aged":
        """What a process has handed over; `place` maps a function id to its index."""
        return cls(
            living_of(process, snapshot.living, place),
            [Point(process, clean(row.name), *row[1:]) for row in snapshot.points],
            grown_of(process, snapshot.growth, place),
        )

    def select(self, ids: Collection[int]) -> "Aged":
        """Those of these processes."""
        return Aged(
            [row for row in self.living if row.process in ids],
            [row for row in self.points if row.process in ids],
            [row for row in self.grown if row.process in ids],
        )

    def only(self, chosen: Collection[int]) -> "Aged":
        """What those functions have; what the others had is of no function any more, but where
        these are in C: then it is that of the line which called them."""
        return Aged(_only(self.living, chosen), self.points, _only(self.grown, chosen))


def _only[Row: (Living, Grown)](rows: Iterable[Row], chosen: Collection[int]) -> list[Row]:
    found = []
    for row in rows:
        if row.function in chosen or row.function < 0:
            found.append(row)
        elif row.line_function in chosen:
            found.append(row._replace(node=-1, function=row.line_function))
        else:
            found.append(row._replace(node=-1, function=-1, line=0, line_function=-1))
    return found


class LivingPlace(NamedTuple):
    """What lives of what a function has allocated at a line, in all processes and threads."""

    record: CodeRecord | None
    """This and the next two as in `MemoryPlace`."""
    line: int
    line_record: CodeRecord | None
    bytes: int
    blocks: int


class Growth(NamedTuple):
    """How much more a function has alive, at a line, from one step of a name to the next."""

    process: int
    name: str
    """Of the steps."""
    record: CodeRecord | None
    """This and the next two as in `MemoryPlace`."""
    line: int
    line_record: CodeRecord | None
    trend: Trend
    """In bytes a step."""
    grows: bool
    """That it grows is certain: where nothing in the process does, the chance of any such place is
    0.1 % for each name of steps."""
    bytes: int
    """Alive at the last step that was looked at."""
    points: list[tuple[int, int]]
    """Which of the steps, from 1, and what was alive at its end."""


def _function(number: int, place: Mapping[int, int], what: str) -> int:
    if number != -1 and number not in place:
        raise DamageError(f"{what} names function {number}, which is not there")
    return place.get(number, -1)


def living_of(process: int, rows: Iterable[LivingRow], place: Mapping[int, int]) -> list[Living]:
    """What `Aged.living` holds for a process; `place` maps a function id to its index. Raise
    DamageError where a row names what is not there."""
    return [
        Living(
            process,
            *row[:2],
            _function(row.function, place, "living"),
            row.line,
            _function(row.line_function, place, "living"),
            *row[5:],
        )
        for row in rows
    ]


def grown_of(process: int, rows: Iterable[GrowthRow], place: Mapping[int, int]) -> list[Grown]:
    """What `Aged.grown` holds for a process, as above."""
    return [
        Grown(
            process,
            *row[:2],
            _function(row.function, place, "growth"),
            row.line,
            _function(row.line_function, place, "growth"),
            clean(row.name),
            row.iteration,
            row.bytes,
        )
        for row in rows
    ]


def _read_living(database: sqlite3.Connection, place: Mapping[int, int]) -> list[Living]:
    """All of them, from a recording whose tables have been checked."""
    found: list[Living] = []
    for process, *row in database.execute(
        "SELECT process, thread, node, function, line, line_function, since_ns, bytes, blocks"
        " FROM living"
    ):
        found += living_of(process, [LivingRow._make(row)], place)
    return found


def _read_grown(database: sqlite3.Connection, place: Mapping[int, int]) -> list[Grown]:
    found: list[Grown] = []
    for process, *row in database.execute(
        "SELECT process, thread, node, function, line, line_function, name, iteration, bytes"
        " FROM growth"
    ):
        found += grown_of(process, [GrowthRow._make(row)], place)
    return found


def _read_points(database: sqlite3.Connection) -> list[Point]:
    """In the order of their iterations."""
    return [
        Point._make(row)
        for row in database.execute(
            "SELECT process, name, iteration, bytes, changing FROM points"
            " ORDER BY process, name, iteration"
        )
    ]


def read(database: sqlite3.Connection, place: Mapping[int, int]) -> Aged:
    """What a recording holds whose tables have been checked. Raise DamageError as above."""
    return Aged(_read_living(database, place), _read_points(database), _read_grown(database, place))


def moment_of(marks: Iterable[StepRow], name: str) -> int:
    """When the last mark of that name was, on CLOCK_MONOTONIC. Raises ValueError: there is none."""
    found = [row.start_ns for row in marks if row.kind == "mark" and row.name == name]
    if not found:
        raise ValueError(f"no mark {name!r} was recorded")
    return max(found)


def living_places(
    records: Sequence[CodeRecord], rows: Iterable[Living], since_ns: int, until_ns: int | None
) -> list[LivingPlace]:
    """Those with the most first, of what was allocated in periods that begin in that time."""
    sums: dict[tuple[int, int, int], tuple[int, int]] = {}
    for row in rows:
        if row.since_ns >= since_ns and (until_ns is None or row.since_ns < until_ns):
            key = row.function, row.line, row.line_function
            known = sums.get(key, (0, 0))
            sums[key] = known[0] + row.bytes, known[1] + row.blocks
    found = [
        LivingPlace(_record(records, function), line, _record(records, of), *figures)
        for (function, line, of), figures in sums.items()
    ]
    return sorted(found, key=lambda it: (-it.bytes, -it.blocks))


def _record(records: Sequence[CodeRecord], index: int) -> CodeRecord | None:
    return records[index] if index >= 0 else None


def growth_of(
    records: Sequence[CodeRecord], points: Iterable[Point], rows: Iterable[Grown]
) -> list[Growth]:
    """Places that have more alive than before: those that certainly grow first, the fastest first.
    Those that were looked at at too few steps are left out."""
    iterations: dict[tuple[int, str], list[int]] = {}
    changing: dict[tuple[int, str], int] = {}
    for point in points:
        iterations.setdefault(point[:2], []).append(point.iteration)
        changing[point[:2]] = point.changing
    sums: dict[tuple[int, str, int, int, int], dict[int, int]] = {}
    for row in rows:
        key = row.process, row.name, row.function, row.line, row.line_function
        of = sums.setdefault(key, {})
        of[row.iteration] = of.get(row.iteration, 0) + row.bytes
    found = []
    for (process, name, function, line, line_function), bytes_ in sums.items():
        series = [(i, bytes_.get(i, 0)) for i in iterations.get((process, name), ())]
        if (it := trend(series)) is None or it.slope <= 0:
            continue
        grows = it.grows(changing[process, name])
        record, of_line = _record(records, function), _record(records, line_function)
        last = series[-1][1]
        found.append(Growth(process, name, record, line, of_line, it, grows, last, series))
    return sorted(found, key=lambda it: (not it.grows, -it.trend.slope))
