# SPDX-License-Identifier: Apache-2.0
"""A row of the result: a figure of pyusdt, its divisor and its target."""

from dataclasses import dataclass

from bench.stats import Ratio, Sample, ratio


@dataclass(frozen=True)
class Target:
    """The limit for a figure: at most `limit`, or exactly that."""

    limit: float
    exact: bool = False

    def met(self, figure: float) -> bool:
        return figure == self.limit if self.exact else figure <= self.limit

    def __str__(self) -> str:
        return f"{'=' if self.exact else '≤'} {self.limit:.2f}"


@dataclass(frozen=True)
class Row:
    """`over` is the measured value, `under` its divisor, if there is one.

    A row that could not be measured has no values. The note has the reason, or that of a missed
    target. The rows of one `grid` form a single table, with a line for each case and a column for
    each figure.
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
        """The figure that the target limits: the ratio of the minima, or the least value."""
        if self.over is None:
            return None
        return self.ratio.best if self.ratio else self.over.minimum

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none, or nothing was measured."""
        if self.result is None or self.target is None:
            return None
        return self.target.met(self.result)
