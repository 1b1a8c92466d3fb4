# SPDX-License-Identifier: Apache-2.0
"""What a test may take, as its markers say it: sizes and times with units."""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pyusdt.errors import nearest

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?|\.\d+) ?([A-Za-zµ]+)", re.ASCII)
_SIZES = {
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("kMGT", 1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", 1)},
    "KB": 1000,
}
_TIMES = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 10**9, "min": 60 * 10**9}

LEFT = "64 kB"
"""What a call may leave alive where nothing else is said: caches of what ran for the first time."""


class Limit(NamedTuple):
    """The most that is allowed, and how the marker has it."""

    most: int
    """Bytes, or nanoseconds."""
    shown: str


class Limits(NamedTuple):
    """What a test may take. None: anything."""

    memory: Limit | None
    time: Limit | None
    left: Limit | None

    @property
    def of_memory(self) -> bool:
        return bool(self.memory or self.left)


def _amount(value: Any, units: Mapping[str, int], number: int) -> int | None:
    """`value` in the smallest unit; a number is of `number` of those. None: it is neither a number
    above 0 nor a text with a unit."""
    unit: int | None = number
    if isinstance(value, str):
        found = re.fullmatch(_AMOUNT, value.strip().replace("μ", "µ"))
        if not found:
            return None
        value, unit = float(found[1]), units.get(found[2])
    if isinstance(value, bool) or not isinstance(value, int | float) or unit is None:
        return None
    if not math.isfinite(value) or value <= 0 or value * unit >= 2**63:
        return None
    return round(value * unit)


def _size(name: str, value: Any) -> Limit:
    found = _amount(value, _SIZES, 1)
    if found is None:
        raise ValueError(f'{name} is a number of bytes, or a size like "24 MB", not {value!r}')
    return Limit(found, f"{name}={value!r}")


def _max_memory(value: Any) -> Limit | None:
    return None if value is None else _size("max_memory", value)


def _max_time(value: Any) -> Limit | None:
    if value is None:
        return None
    found = _amount(value, _TIMES, 10**9)
    if found is None:
        raise ValueError(f'max_time is a number of seconds, or like "100 ms", not {value!r}')
    return Limit(found, f"max_time={value!r}")


def _no_leaks(value: Any) -> Limit | None:
    if value is None or value is False:
        return None
    if value is True:
        return Limit(_size("no_leaks", LEFT).most, "no_leaks=True")
    if isinstance(value, str):
        return _size("no_leaks", value)
    raise ValueError(f'no_leaks is a bool, or the size that is allowed, like "1 MB", not {value!r}')


_ARGUMENTS = {"max_memory": _max_memory, "max_time": _max_time, "no_leaks": _no_leaks}


def limits(arguments: Mapping[str, Any]) -> Limits:
    """Raise ValueError where an argument is none of those that there are, or no good."""
    for name in arguments.keys() - _ARGUMENTS.keys():
        raise ValueError(f"there is no argument {name}{nearest(name, _ARGUMENTS)}")
    return Limits(*(read(arguments.get(name)) for name, read in _ARGUMENTS.items()))
