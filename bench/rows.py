# SPDX-License-Identifier: Apache-2.0
"""A row of the result: one figure of pyusdt's, what it is compared with, and what it has to be."""

from dataclasses import dataclass

from bench.stats import Ratio, Sample, ratio


@dataclass(frozen=True)
class Target:
    """What a ratio has to be: at most `limit`, or exactly that."""

    limit: float
    exact: bool = False

    def met(self, figure: Ratio) -> bool:
        """Tell whether the ratio of the minima is what it has to be."""
        return figure.best == self.limit if self.exact else figure.best <= self.limit

    def __str__(self) -> str:
        return f"{'=' if self.exact else '≤'} {self.limit:.2f}"


@dataclass(frozen=True)
class Row:
    """`over` is pyusdt's value, `under` the value that it is divided by, where there is one.

    A row that could not be measured has no values. The note says why, or why a target is missed.
    """

    case: str
    figure: str
    unit: str
    over: Sample | None = None
    peer: str = ""
    under: Sample | None = None
    target: Target | None = None
    note: str = ""

    @property
    def ratio(self) -> Ratio | None:
        if self.over is None or self.under is None:
            return None
        return ratio(self.over, self.under)

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none, or nothing was measured."""
        if self.ratio is None or self.target is None:
            return None
        return self.target.met(self.ratio)
