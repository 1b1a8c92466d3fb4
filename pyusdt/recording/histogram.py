# SPDX-License-Identifier: Apache-2.0
"""Histograms: durations in ns, and how many calls took about so long.

The shortest and the longest duration are exact. The recorder in C puts the others together to the
middles of its buckets (src/base/histogram.h), which differ from them by at most 1.1 %.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

OLD_BUCKETS = 252
_LARGEST = 2**63 - 1
_DIGITS = 4


def middle_of_old(bucket: int) -> int:
    """The ns that a bucket stands for in recordings before format 3: a quarter of a power of two,
    of which two digits are known."""
    if bucket < 4:
        return bucket
    shift = bucket // 4 - 1
    low = (4 + bucket % 4) << shift
    return min(_rounded(low + (1 << shift) // 2, 2), _LARGEST)


def in_ns(ticks: int, ns_per_tick: float) -> int:
    """A duration in ns, as recordings can hold it."""
    return min(round(ticks * ns_per_tick), _LARGEST)


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The duration in ns that `share` (0..1) of the counted calls do not exceed; None if none are.

    It has the digits that are known, and lies within the shortest and the longest one, which are
    exact.
    """
    rank = share * sum(counts.values())
    below = 0
    durations = sorted(counts)
    for ns in durations:
        below += counts[ns]
        if below >= rank:
            break
    else:
        return durations[-1] if durations else None
    if ns in (durations[0], durations[-1]):
        return ns
    return min(max(_rounded(ns, _DIGITS), durations[0]), durations[-1])


def since(now: Mapping[int, int], before: Mapping[int, int]) -> Counter[int]:
    """What was counted after `before`. A duration that was the shortest or the longest one until
    then may be at the middle of its bucket now: then the nearest one is it."""
    left = Counter(now)
    left.subtract(before)
    for duration in [key for key, count in left.items() if count < 0]:
        missing = -left.pop(duration)
        for near in sorted(left, key=lambda key: abs(key - duration)):
            taken = min(missing, max(left[near], 0))
            left[near] -= taken
            missing -= taken
            if not missing:
                break
    return +left


def by_key[Key](rows: Iterable[tuple[Key, int, int]]) -> dict[Key, dict[int, int]]:
    """Durations, and how many calls took them, by what they are of."""
    found: dict[Key, dict[int, int]] = {}
    for key, duration, calls in rows:
        found.setdefault(key, {})[duration] = calls
    return found


def _rounded(number: int, digits: int) -> int:
    return round(number, min(digits - len(str(number)), 0))
