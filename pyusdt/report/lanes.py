# SPDX-License-Identifier: Apache-2.0
"""Tracks for what may overlap: on one track, a viewer takes only intervals that nest."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

_SHARED = 16  # lanes on which intervals nest; looking at more would take long
_ROUNDING_NS = 2  # viewers cut fractions of a µs


def lanes_of(intervals: Iterable[tuple[int, int]]) -> Iterator[int]:
    """The lane of each (start, end), from 0 on; they come by their starts, the longest first.

    Each gets the first lane on which it nests in what is open there, or nothing is. Beyond the
    first lanes, each interval has a lane for itself until it ends.
    """
    shared: list[list[int]] = []  # the ends of what is open on each, the next one last
    used: list[tuple[int, int]] = []  # end and lane beyond them, the next one first
    n = 0
    for start, end in intervals:
        lane = _shared_lane(shared, start, end)
        if lane is None:
            free = bool(used) and used[0][0] + _ROUNDING_NS <= start
            lane = heappop(used)[1] if free else _SHARED + n
            n += not free
            heappush(used, (end, lane))
        yield lane


def _shared_lane(shared: list[list[int]], start: int, end: int) -> int | None:
    for lane, ends in enumerate(shared):
        while ends and ends[-1] + _ROUNDING_NS <= start:
            ends.pop()
        if not ends or end + _ROUNDING_NS <= ends[-1]:
            ends.append(end)
            return lane
    if len(shared) == _SHARED:
        return None
    shared.append([end])
    return len(shared) - 1
