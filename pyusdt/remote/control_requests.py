# SPDX-License-Identifier: Apache-2.0
"""Live control from outside: what is asked of a process, as the bytes of the struct's parts.

The core checks what these hold; here is only refused what they cannot express.
"""

import math
import re
from typing import Any

from pyusdt.remote.control_layout import (
    FILTER_SIZE,
    NEVER,
    TIMES,
    VALUES,
    RecordLines,
    RecordMemory,
    RecordOptions,
    RecordTiming,
    Request,
    Settings,
    Times,
)

_LARGEST = 2**32 - 1
_UNITS_USEC = {"us": 1, "µs": 1, "ms": 1_000, "s": 1_000_000}
_UNITS_BYTES = {
    "B": 1,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
}
# The bits of request.fields.
_FIELDS = {
    name: 1 << bit
    for bit, name in enumerate(
        ("slow_usec", "values", "check_msec", "verbose", "only", "exclude", "large_bytes")
    )
}


def request(
    *,
    only: str | None = None,
    exclude: str | None = None,
    values: str | None = None,
    slow: str | float | None = None,
    large: str | int | None = None,
    check_msec: int | None = None,
    verbose: bool | None = None,
) -> bytes:
    """Return a struct pyusdt_request for these changes; None leaves a setting as it is.

    Raises ValueError for what cannot be expressed; the core checks the rest.
    """
    changed: dict[str, Any] = {
        "slow_usec": None if slow is None else slow_usec(slow),
        "large_bytes": None if large is None else large_bytes(large),
        "values": None if values is None else _index_of_values(values),
        "check_msec": None if check_msec is None else min(max(check_msec, 0), _LARGEST),
        "verbose": verbose,
        "only": None if only is None else _patterns("only", only),
        "exclude": None if exclude is None else _patterns("exclude", exclude),
    }
    # A value out of bounds stays out of bounds: the core knows them, and refuses it.
    given = {name: value for name, value in changed.items() if value is not None}
    fields = sum(_FIELDS[name] for name in given)
    return bytes(Request(fields=fields, settings=Settings(**given)))


def actions(bits: int) -> bytes:
    """Return a struct pyusdt_request for nothing but these actions."""
    return bytes(Request(actions=bits))


def record_options(
    *, max_nodes: int, c_calls: bool, lease_msec: int, only: str = "", exclude: str = ""
) -> bytes:
    """Return a struct pyusdt_record_options. Raises ValueError for what cannot be expressed."""
    return bytes(
        RecordOptions(
            max_nodes=min(max_nodes, NEVER),  # more is refused, as this is
            c_calls=c_calls,
            lease_msec=lease_msec,
            only=_patterns("only", only),
            exclude=_patterns("exclude", exclude),
        )
    )


def record_timing(*, times: Times, sample_msec: int = 0) -> bytes:
    """Return a struct pyusdt_record_timing; 0: the process samples as often as it would itself."""
    return bytes(RecordTiming(times=TIMES.index(times), sample_msec=sample_msec))


def record_lines(*, lines: str = "", of_program: bool = False) -> bytes:
    """Return a struct pyusdt_record_lines. Raises ValueError for what cannot be expressed."""
    return bytes(RecordLines(lines=_patterns("lines", lines), of_program=of_program))


def record_memory(kinds: int) -> bytes:
    """Return a struct pyusdt_record_memory, of the bits of memory.py."""
    return bytes(RecordMemory(memory=kinds))


def _patterns(name: str, text: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"{name} is a str of patterns with commas between, not {text!r}")
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} has a character that UTF-8 has not: {text!r}") from None
    if b"\0" in raw:
        raise ValueError(f"{name} has a NUL character: {text!r}")
    if len(raw) >= FILTER_SIZE:
        raise ValueError(f"{name} is longer than {FILTER_SIZE - 1} bytes: it has {len(raw)}")
    return raw


def _index_of_values(values: str) -> int:
    if values not in VALUES:
        raise ValueError(f"values is one of safe, repr, off, not {values!r}")
    return VALUES.index(values)


def slow_usec(slow: str | float) -> int:
    """Microseconds of a text like 10ms, 500us, 1.5s or off, or of a number of seconds."""
    if slow == "off":
        return NEVER
    number, unit = slow, "s"
    if isinstance(slow, str):
        found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-zµ]+)", slow.strip())
        if not found or found[2] not in _UNITS_USEC:
            raise ValueError(f"slow is a time like 10ms, 500us, 1.5s, or off, not {slow!r}")
        number, unit = float(found[1]), found[2]
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError(f"slow is a number of seconds or a text like 10ms, not {slow!r}")
    usec = number * _UNITS_USEC[unit]
    if not math.isfinite(usec) or not 0 <= usec < NEVER:
        raise ValueError(f"slow is a time from 0 on, not {slow!r}")
    return round(usec)


def large_bytes(large: str | int) -> int:
    """Bytes of a text like 64KiB, 1.5MB or 4096, or of a number of them. More than the core
    accepts is 0, which it does not accept either."""
    unit = "B"
    if isinstance(large, str):
        found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([A-Za-z]*)", large.strip(), re.ASCII)
        if not found or (found[2] or unit) not in _UNITS_BYTES:
            raise ValueError(f"large is a size like 64KiB, 1MB or 4096, not {large!r}")
        number, unit = float(found[1]), found[2] or unit
    elif isinstance(large, bool) or not isinstance(large, int):
        raise TypeError(f"large is a number of bytes or a text like 64KiB, not {large!r}")
    else:
        number = large
    size = number * _UNITS_BYTES[unit]
    return round(size) if 0 <= size <= _LARGEST else 0
