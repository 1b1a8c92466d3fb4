# SPDX-License-Identifier: Apache-2.0
"""Functions that allocate what is known beforehand; sizes of objects are sys.getsizeof's."""

from __future__ import annotations

import mmap
import sys
import threading
import zlib
from collections.abc import Callable
from typing import Any

KB = 1000
LARGE = 100_000_000
cache: dict[int, bytes] = {}
kept: list[Any] = []
BYTES = sys.getsizeof(b"")
"""Of a bytes object, without what is in it."""


def texts(n: int, size: int) -> list[bytes]:
    found: list[Any] = [None] * n
    for i in range(n):
        found[i] = bytes(size)  # made
    return found


def leak(n: int) -> None:
    for _ in range(n):
        kept.append(bytes(KB))  # leaked


def temporary() -> int:
    block = bytearray(LARGE)  # for a moment
    return len(block)


def peak() -> None:
    below = bytes(10_000)  # below the peak
    high = bytes(500_000)  # at the peak
    del high
    after = bytes(100_000)  # after the peak
    del below, after


def fill(places: list[Any], size: int) -> None:
    for i in range(len(places)):
        places[i] = bytes(size)  # given away


def clear(places: list[Any]) -> None:
    for i in range(len(places)):
        places[i] = None


def exchange(n: int, size: int) -> list[list[Any]]:
    """Two threads fill a list each, and each clears the other's."""
    lists: list[list[Any]] = [[None] * n, [None] * n]
    filled = threading.Barrier(2)

    def work(mine: list[Any], other: list[Any]) -> None:
        fill(mine, size)
        filled.wait()
        clear(other)

    threads = [threading.Thread(target=work, args=(lists[i], lists[1 - i])) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return lists


def storm(stop: Callable[[], bool]) -> None:
    """Allocate and free, of all sizes, native memory too, until it stops."""
    places: list[Any] = [None] * 97
    i = 0
    while not stop():
        places[i * 31 % 97] = bytes(i * 37 % 3000), [i] * (i % 50), {i: str(i)}
        if i % 100 == 0:
            places[i % 97] = mmap.mmap(-1, 5000), zlib.compressobj()
        i += 1
