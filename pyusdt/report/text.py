# SPDX-License-Identifier: Apache-2.0
"""Names, times and shares as people read them."""

from collections.abc import Sequence

from pyusdt.harmless import printable as printable

TIMES = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs"), (1, "ns"))
SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (1_000, "kB"), (1, "B"))
COUNTS = ((1, ""),)


def duration(ns: float | None) -> str:
    """Nanoseconds with three digits or four, and their unit: `12.3 ms`."""
    return "" if ns is None else _in_units(ns, TIMES)


def size(n_bytes: float | None) -> str:
    """Bytes likewise: `12.3 MB`, of 1,000,000 bytes each."""
    return "" if n_bytes is None else _in_units(n_bytes, SIZES)


def _in_units(value: float, units: Sequence[tuple[int, str]]) -> str:
    for factor, unit in units[:-1]:
        if abs(value) >= factor * 0.9995:
            value /= factor
            decimals = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
            return f"{value:,.{decimals}f} {unit}"
    return f"{value:.0f} {units[-1][1]}"


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
