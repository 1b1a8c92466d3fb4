# SPDX-License-Identifier: Apache-2.0
"""From what the core has counted of memory, to what one recording is to hold of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import batched
from typing import NamedTuple, Protocol

from pyusdt.recording.counts import CountedMemory, Counts
from pyusdt.recording.memory import MemoryFigures, MemoryRow, ResidentRow
from pyusdt.recording.snapshot import FunctionRow

Place = tuple[int, int, int, int, int]
"""Thread, node, function, line and whose that is, as in `MemoryRow`."""
_NO_FUNCTION = -1
# Of what is in RAM: where there are more, each two become the one with more.
_POINTS_MAX = 8192


class Counted(Protocol):
    """What was counted of a context at a line, as in `CountedMemory`."""

    @property
    def serial(self) -> int: ...
    @property
    def node(self) -> int: ...
    @property
    def function(self) -> int: ...
    @property
    def line(self) -> int: ...


class Places(NamedTuple):
    """Where what the core counts is in the recording."""

    functions: Mapping[int, FunctionRow]
    is_wanted: Callable[[int], bool]
    """Whether the recording has the function."""
    place_of: Callable[[Counted], tuple[int, int, int] | None]
    """Thread, node and function, as in `MemoryRow`; None: it is not in the recording."""
    caller_of: Callable[[Counted], int]
    """The function that calls the one of a context; -1: not known."""

    def line_of(self, row: Counted) -> Place | None:
        """Where the recording has it; None: nowhere."""
        place = self.place_of(row)
        if place is None:
            return None
        of = _owner_of_line(row, place[2], self)
        return *place, row.line if of != _NO_FUNCTION else 0, of


class _Charged(Protocol):
    @property
    def function(self) -> int: ...
    @property
    def line_function(self) -> int: ...


def functions_of(*tables: Iterable[_Charged]) -> set[int]:
    """Those that rows name."""
    return {it for rows in tables for row in rows for it in (row.function, row.line_function)}


def summed(
    settled: Iterable[MemoryRow], now: Counts, before: Counts, places: Places
) -> list[MemoryRow]:
    """The rows of a recording that has `settled` and what was allocated since `before`."""
    sums = {row.key: row.figures for row in settled}
    for row, figures in _since(now, before):
        key = places.line_of(row)
        if key is None:
            continue
        sums[key] = sums[key].plus(figures) if key in sums else figures
    return [MemoryRow(*key, figures) for key, figures in sums.items()]


def resident(settled: Iterable[ResidentRow], now: Counts, before: Counts) -> list[ResidentRow]:
    """What was in RAM in a recording that has `settled`, and since `before`."""
    points = {row.at_ns: row for row in settled}
    points |= {row.at_ns: row for row in now.resident if row.at_ns >= before.now_ns}
    rows = [points[at] for at in sorted(points)]
    while len(rows) > _POINTS_MAX:
        rows = [max(two, key=lambda row: row.rss_bytes) for two in batched(rows, 2)]
    return rows


def callers(counts: Counts) -> Callable[[Counted], int]:
    """`Places.caller_of`, from the nodes of these counts."""
    nodes = {row.key: row for row in counts.nodes} if counts.memory else {}

    def caller_of(row: Counted) -> int:
        node = nodes.get((row.serial, row.node))
        above = node and nodes.get((row.serial, node.parent))
        return above.function if above else _NO_FUNCTION

    return caller_of


def _since(now: Counts, before: Counts) -> Iterator[tuple[CountedMemory, MemoryFigures]]:
    earlier = {row.key: MemoryFigures._make(row[4:]) for row in before.memory}
    for row in now.memory:
        figures = MemoryFigures._make(row[4:])
        if row.key in earlier:
            figures = figures.since(earlier[row.key])
        if any(figures[:-1]):
            yield row, figures


def _owner_of_line(row: Counted, charged: int, places: Places) -> int:
    """The function whose the line is, where that is the one that is charged, or calls it, in C."""
    if not row.line or charged == _NO_FUNCTION:
        return _NO_FUNCTION
    owner, it = row.function, places.functions[row.function]
    if not it.file and not it.line:  # it is in C
        owner = places.caller_of(row)
        if owner == _NO_FUNCTION or not places.is_wanted(owner):
            return _NO_FUNCTION
    return owner if charged in (owner, row.function) else _NO_FUNCTION
