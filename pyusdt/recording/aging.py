# SPDX-License-Identifier: Apache-2.0
"""What is alive, by age, and what has grown: rows as a recording of one process has them."""

from collections.abc import Iterable
from typing import NamedTuple

from pyusdt.recording.allocated import Place, Places
from pyusdt.recording.counted import CountedGrowth, CountedLiving
from pyusdt.recording.counts import Counts

_SIX = tuple[int, int, int, int, int, int]


class LivingRow(NamedTuple):
    """What lives of what was allocated in a context at a line, in a period."""

    thread: int
    """This and the next four as in `MemoryRow`."""
    node: int
    function: int
    line: int
    line_function: int
    since_ns: int
    """The beginning of the period, on CLOCK_MONOTONIC, which ends with the next one; 0: it was
    before all marks and steps."""
    bytes: int
    blocks: int

    @property
    def key(self) -> _SIX:
        """All that it is of."""
        return self[:6]


class PointRow(NamedTuple):
    """The end of a step that comes again and again, at which it was looked what is alive."""

    name: str
    iteration: int
    """Which of the steps of that name, from 1."""
    bytes: int
    """Alive, in all places."""
    changing: int
    """How many places had not as much at all points of the name."""


class GrowthRow(NamedTuple):
    """What was alive of a place at a point."""

    thread: int
    """This and the next four as in `MemoryRow`."""
    node: int
    function: int
    line: int
    line_function: int
    name: str
    iteration: int
    bytes: int

    @property
    def key(self) -> tuple[int, int, int, int, int, str, int]:
        """All that it is of."""
        return self[:7]


def living(
    settled: list[LivingRow], now: Counts, before: Counts, places: Places
) -> list[LivingRow]:
    """What lives of what was allocated since `before`. It is handed over at an end only: a
    recording that goes on keeps what it has `settled`."""
    if not now.living:
        return settled
    sums: dict[_SIX, tuple[int, int]] = {}
    first = _first(now.living, before)
    for row in now.living:
        place = places.line_of(row)
        if place is None or row.since < first:
            continue
        key = *place, _in_ns(row.since, now)
        known = sums.get(key, (0, 0))
        sums[key] = known[0] + row.bytes, known[1] + row.blocks
    return [LivingRow(*key, *figures) for key, figures in sums.items()]


def _first(rows: Iterable[CountedLiving], before: Counts) -> int:
    """When the recording began, as one of the periods that do."""
    if before.memory_kinds is None:
        return 0
    return max((row.since for row in rows if row.since <= before.now), default=0)


def _in_ns(ticks: int, now: Counts) -> int:
    return max(now.now_ns - round((now.now - ticks) * now.ns_per_tick), 0) if ticks else 0


def points(settled: list[PointRow], now: Counts) -> list[PointRow]:
    """Those of the whole process, also of what came before the recording."""
    return [PointRow(*row) for row in now.points] or settled


def growth(settled: list[GrowthRow], now: Counts, places: Places) -> list[GrowthRow]:
    """What was alive at those."""
    if not now.points:
        return settled
    sums: dict[tuple[int, int, int, int, int, str, int], int] = {}
    known: dict[tuple[int, int, int, int], Place | None] = {}
    for row in now.growth:
        if row.key not in known:
            known[row.key] = places.line_of(row)
        place = known[row.key]
        if place is not None:
            key = *place, *_point(row, now)
            sums[key] = sums.get(key, 0) + row.bytes
    return [GrowthRow(*key, bytes_) for key, bytes_ in sums.items()]


def _point(row: CountedGrowth, now: Counts) -> tuple[str, int]:
    return now.points[row.point][:2]
