# SPDX-License-Identifier: Apache-2.0
"""The sizes and times of tests' markers, and how sizes are shown."""

from __future__ import annotations

from typing import Any

import pytest

from pyusdt.limits import limits
from pyusdt.limits_report import size


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (1, 1),
        (24_000_000, 24_000_000),
        (1.5e6, 1_500_000),
        ("1 B", 1),
        ("1 kB", 1000),
        ("1 KB", 1000),
        ("24 MB", 24_000_000),
        ("24MB", 24_000_000),
        (" 0.5 MiB ", 512 * 1024),
        (".5 KiB", 512),
        ("2 GB", 2 * 10**9),
        ("1 TiB", 2**40),
    ],
)
def test_sizes(value: Any, size: int) -> None:
    memory = limits({"max_memory": value}).memory
    assert memory is not None and memory.most == size


@pytest.mark.parametrize(
    ("value", "ns"),
    [(2, 2 * 10**9), (0.5, 5 * 10**8), ("2 s", 2 * 10**9), ("100ms", 10**8), ("1 µs", 1000)],
)
def test_times(value: Any, ns: int) -> None:
    time = limits({"max_time": value}).time
    assert time is not None and time.most == ns


@pytest.mark.parametrize(
    ("value", "allowed"), [(True, 64_000), ("1 MB", 10**6), (False, None), (None, None)]
)
def test_leaks(value: Any, allowed: int | None) -> None:
    left = limits({"no_leaks": value}).left
    assert (left and left.most) == allowed


WRONG: list[Any] = [0, -1, "", "24", "MB", "24 apples", "-1 MB", "1e3 MB", "1 mb", True, [], 1e400]
WRONG += ["٣ MB", "9" * 400 + " MB", float("nan"), b"1 MB"]


@pytest.mark.parametrize("name", ["max_memory", "max_time", "no_leaks"])
@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:20])
def test_what_is_no_limit(name: str, value: Any) -> None:
    if (name, value) == ("no_leaks", True):
        return
    with pytest.raises(ValueError, match=rf"^{name} is a ") as raised:
        limits({name: value})
    assert "\n" not in str(raised.value)


def test_what_is_no_argument() -> None:
    with pytest.raises(ValueError, match="no argument max_mem; did you mean 'max_memory'"):
        limits({"max_mem": "1 MB"})


@pytest.mark.parametrize(
    ("n", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (24_060_000, "24.1 MB"),
        (999_700, "1.00 MB"),
        (123_456_789, "123 MB"),
        (5 * 10**12, "5,000 GB"),
        (-1500, "-1.50 kB"),
    ],
)
def test_sizes_as_they_are_shown(n: int, shown: str) -> None:
    assert size(n) == shown
