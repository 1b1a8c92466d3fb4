# SPDX-License-Identifier: Apache-2.0
"""Sampled figures as people read them: `~`, and no more digits than are known.

A figure that rests on n looks is off by about one part in the root of n. So below 100 looks (10 %)
one digit is known, below 10,000 (1 %) two, and three from there on.
"""

from collections.abc import Sequence
from math import floor, log10

from pyusdt.report.text import TIMES

NOT_SEEN = "-"
"""No look has met it: it is little, and how little is not known."""


def figure(value: float, samples: int, units: Sequence[tuple[int, str]] = TIMES) -> str:
    """`~60 ms`: a time, or what has such units, that so many looks have found."""
    if samples < 1:
        return NOT_SEEN
    digits = _digits(samples)
    value = _rounded(value, digits)
    factor, unit = next((it for it in units if abs(value) >= it[0]), units[-1])
    return f"~{_written(value / factor, digits)} {unit}".rstrip()


def percentage(part: float, whole: float, samples: int) -> str:
    """`~40%`: `part`, which rests on so many looks, of `whole`. Nothing of nothing is nothing."""
    if not whole:
        return ""
    if samples < 1:
        return NOT_SEEN
    digits = _digits(samples)
    return f"~{_written(_rounded(100 * part / whole, digits), digits)}%"


def _digits(samples: int) -> int:
    return 1 if samples < 100 else 2 if samples < 10_000 else 3


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def _written(value: float, digits: int) -> str:
    """A rounded value, without the digits that are zeros only because it was rounded."""
    if not value:
        return "0"
    return f"{value:,.{max(digits - 1 - floor(log10(abs(value))), 0)}f}"
