# SPDX-License-Identifier: Apache-2.0
"""Whether what is alive at the ends of iterations grows from one to the next, and how certain that
is.

What the first fifth of the iterations did is left out: caches fill. The others are divided into 13
blocks, each of which is known by its medians, so there are 12 rates from one block to the next. If
nothing grows, however it goes up and down, their mean is 0 but for chance, of which Student's t
says how far it may be. A random walk has independent rates; what swings around a level has rates
that cancel each other, so that the test is too strict, which is the right side. It judges by few
rates because they are nearly normal then, and it is not fooled by one jump.

What stops to grow has grown, and is no leak: each third of the rates must be growth, and the last
two of them half as much as the others at least.
"""

from collections.abc import Sequence
from math import atan, cos, inf, pi, sin, sqrt
from statistics import fmean, median, stdev
from typing import NamedTuple

BLOCKS = 13
_WARM_UP = 0.2
_RATES = BLOCKS - 1
_FREEDOM = _RATES - 1
_T99 = 3.106
"""Of Student's t with as much freedom: within this on both sides are 99 %."""
_CHANCE = 0.001
"""Of naming anything at all, where nothing grows."""


class Trend(NamedTuple):
    """Of a series: bytes an iteration, within `low` and `high` with a certainty of 99 %."""

    slope: float
    low: float
    high: float
    chance: float
    """Of seeing so much growth or more where nothing grows: in one place that was looked at."""
    is_steady: bool
    """It has grown all the time, and does so at the end."""

    def grows(self, places: int) -> bool:
        """Whether that is certain when so many places are looked at: that in any of them growth is
        seen where there is none has a chance of 0.1 % (Bonferroni)."""
        return self.is_steady and self.chance * max(places, 1) < _CHANCE


def trend(points: Sequence[tuple[int, int]]) -> Trend | None:
    """That of iterations and bytes, in the order of iterations. None: there are too few."""
    last = points[-1][0] if points else 0
    late = [point for point in points if point[0] > last * _WARM_UP]
    if len(late) < BLOCKS:
        return None
    blocks = [late[len(late) * i // BLOCKS : len(late) * (i + 1) // BLOCKS] for i in range(BLOCKS)]
    x = [median(iteration for iteration, _ in block) for block in blocks]
    y = [median(bytes_ for _, bytes_ in block) for block in blocks]
    rates = [(y[i + 1] - y[i]) / (x[i + 1] - x[i]) for i in range(_RATES)]
    slope, error = fmean(rates), stdev(rates) / sqrt(_RATES)
    t = slope / error if error else inf if slope > 0 else 0.0
    return Trend(slope, slope - _T99 * error, slope + _T99 * error, _beyond(t), _steady(rates))


def _steady(rates: Sequence[float]) -> bool:
    third = _RATES // 3
    thirds = [fmean(rates[i : i + third]) for i in range(0, _RATES, third)]
    return min(thirds) > 0 and fmean(rates[-2:]) >= fmean(rates) / 2


def _beyond(t: float) -> float:
    """The chance of so high a value of Student's t, or a higher one."""
    if t == inf:
        return 0.0
    angle = atan(t / sqrt(_FREEDOM))
    term = series = cos(angle)
    for i in range(2, _FREEDOM - 1, 2):
        term *= cos(angle) ** 2 * i / (i + 1)
        series += term
    return max(0.5 - (angle + sin(angle) * series) / pi, 0.0)
