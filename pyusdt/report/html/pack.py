# SPDX-License-Identifier: Apache-2.0
"""Columns of numbers as texts that a page decodes at once: JSON of a million is slow to write, and
slow to read.

A column is [length, type, base64]. One that is mostly zeros is [length, type, base64, type of the
gaps, base64 of the gaps]: it has the others, and how far each is from the one before it. Types are
those of the module `array`: B, H and I of 1, 2 and 4 bytes, and d; all are little-endian.
"""

import sys
import zlib
from array import array
from base64 import b64encode
from collections.abc import Iterable

_TYPES = "BHI"
Column = list[int | str]


def column(values: list[int]) -> Column:
    """The smallest of these forms, or nearly."""
    n = len(values)
    if 2 * values.count(0) <= n:
        return [n, *_encoded(values)]
    places = [i for i, value in enumerate(values) if value]
    gaps = [b - a for a, b in zip([-1, *places], places, strict=False)]
    return [n, *_encoded([values[i] for i in places]), *_encoded(gaps)]


def table(names: tuple[str, ...], rows: Iterable[tuple[int, ...]]) -> dict[str, Column]:
    """A column of each name."""
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return {name: column(list(values)) for name, values in zip(names, columns, strict=True)}


def packed(text: str) -> str:
    """A long text, deflated."""
    return b64encode(zlib.compress(text.encode(errors="backslashreplace"), wbits=-15)).decode()


def _encoded(values: list[int]) -> tuple[str, str]:
    packed = _array(values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.typecode, b64encode(packed).decode()


def _array(values: list[int]) -> "array[int] | array[float]":
    for code in _TYPES:
        try:
            return array(code, values)
        except OverflowError:
            continue
    return array("d", values)
