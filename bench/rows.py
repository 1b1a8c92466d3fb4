# SPDX-License-Identifier: Apache-2.0
"""A row of the result: one figure of pyusdt's, what it is compared with, and what it has to be."""

from dataclasses import dataclass

from bench.stats import Ratio, Sample, ratio


@dataclass(frozen=True)
class Target:
    """What a figure has to be: at most `limit`, or exactly that."""

    limit: float
    exact: bool = False

    def met(self, figure: float) -> bool:
        return figure == self.limit if self.exact else figure <= self.limit

    def __str__(self) -> str:
        return f"{'=' if self.exact else '≤'} {self.limit:.2f}"


@dataclass(frozen=True)
class Row:
    """`over` is the value measured, `under` the value that it is divided by, where there is one.

    A row that could not be measured has no values. The note says why, or why a target is missed.
    The rows of one `grid` are shown as a single table, a line for each case and a column for each
    figure.
    """

    case: str
    figure: str
    unit: str
    over: Sample | None = None
    peer: str = ""
    under: Sample | None = None
    target: Target | None = None
    note: str = ""
    grid: str = ""

    @property
    def ratio(self) -> Ratio | None:
        if self.over is None or self.under is None:
            return None
        return ratio(self.over, self.under)

    @property
    def result(self) -> float | None:
        """What the target is for: the ratio of the minima, or the least value."""
        if self.over is None:
            return None
        return self.ratio.best if self.ratio else self.over.minimum

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none, or nothing was measured."""
        if self.result is None or self.target is None:
            return None
        return self.target.met(self.result)
