# SPDX-License-Identifier: Apache-2.0
"""Sampled figures as people read them: `~`, and no more digits than are known.

A figure that rests on n looks is off by about one part in the root of n. So below 100 looks (10 %)
one digit is known, below 10,000 (1 %) two, and three from there on.
"""

from math import floor, log10

_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))
NOT_SEEN = "-"
"""No look has met it: it is little, and how little is not known."""


def figure(ns: float, samples: int) -> str:
    """`~60 ms`: a time that so many looks have found."""
    if samples < 1:
        return NOT_SEEN
    digits = _digits(samples)
    value = _rounded(ns, digits)
    factor, unit = next((it for it in _UNITS if abs(value) >= it[0]), _UNITS[-1])
    return f"~{_written(value / factor, digits)} {unit}"


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
