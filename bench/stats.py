# SPDX-License-Identifier: Apache-2.0
"""The statistics of several runs of one side, and of two sides in turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Sample:
    """The values of one side, one a round, in the order of the rounds. Never empty."""

    values: tuple[float, ...]

    @property
    def minimum(self) -> float:
        return min(self.values)

    @property
    def median(self) -> float:
        return median(self.values)


@dataclass(frozen=True)
class Ratio:
    """One side over another.

    Noise on a busy machine only adds time, so the figure is the ratio of the two minima. The spread
    is that of the ratios within each round, whose two sides ran one right after the other.
    """

    best: float
    """The minimum of one side over the minimum of the other."""
    median: float
    """The median of the rounds' ratios."""
    low: float
    """A quarter of the rounds' ratios are below this one."""
    high: float
    """A quarter of the rounds' ratios are above this one."""


def ratio(over: Sample, under: Sample) -> Ratio:
    """Return `over` / `under`. Raises ValueError where they are not from the same rounds."""
    rounds = [a / b for a, b in zip(over.values, under.values, strict=True)]
    low, high = quartiles(rounds)
    return Ratio(over.minimum / under.minimum, median(rounds), low, high)


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile; of a single value, that value twice."""
    if len(values) == 1:
        return values[0], values[0]
    first, _, third = quantiles(values, n=4, method="inclusive")
    return first, third
