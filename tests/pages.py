# SPDX-License-Identifier: Apache-2.0
"""What a page's packed columns hold."""

from array import array
from base64 import b64decode
from itertools import accumulate
from typing import Any


def values_of(column: list[Any]) -> list[int]:
    """The numbers of a column as `pyusdt.report.html.pack` makes it."""
    length, kind, text, *gaps = column
    found = array(kind, b64decode(text)).tolist()
    if not gaps:
        return found
    values = [0] * length
    places = [at - 1 for at in accumulate(array(gaps[0], b64decode(gaps[1])))]
    for place, value in zip(places, found, strict=True):
        values[place] = value
    return values
