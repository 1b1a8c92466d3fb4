# SPDX-License-Identifier: Apache-2.0
"""Names, times and shares as people read them."""

from pyusdt.harmless import printable as printable

_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"))


def duration(ns: float | None) -> str:
    """Nanoseconds with three digits or four, and their unit: `12.3 ms`."""
    if ns is None:
        return ""
    for factor, unit in _UNITS:
        if abs(ns) >= factor * 0.9995:
            value = ns / factor
            decimals = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
            return f"{value:,.{decimals}f} {unit}"
    return f"{ns:.0f} ns"


def number(value: float | None) -> str:
    """A count with thousands parted; a fraction with four digits."""
    if value is None:
        return ""
    return f"{value:,d}" if isinstance(value, int) else f"{value:,.4g}"


def share(part: float, whole: float) -> str:
    """`part` of `whole` in percent; nothing of nothing is nothing."""
    return f"{100 * part / whole:.1f}%" if whole else ""


def plural(count: int, word: str, many: str = "") -> str:
    """`1 thread`, `2 threads`"""
    return f"{count:,} {word if count == 1 else many or word + 's'}"
