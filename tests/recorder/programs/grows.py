# SPDX-License-Identifier: Apache-2.0
"""Steps that leak, and such as do not, among 100 MB that come and go in 1,000 of them."""

from __future__ import annotations

import random
import sys
from collections import OrderedDict
from typing import Any

import pyusdt

STEPS = 1000
KB = 1000
TRAFFIC = 100
"""Blocks of 1 kB, in each step: 100 MB in all."""
SIZE = KB - sys.getsizeof(b"")
"""Of a bytes object that takes 1 kB."""


def traffic(n: int) -> list[bytes]:
    return [bytes(SIZE) for _ in range(n)]


def leak(kept: list[Any], i: int) -> None:
    kept[i] = bytes(SIZE)  # leak


def leaks() -> list[Any]:
    kept: list[Any] = [None] * STEPS
    for i in pyusdt.steps(range(STEPS), "request"):
        traffic(TRAFFIC)
        leak(kept, i)
    return kept


def cache_that_fills(chance: random.Random) -> None:
    full, cache = chance.randrange(1, STEPS * 7 // 10), {}
    for i in pyusdt.steps(range(STEPS), "request"):
        traffic(TRAFFIC)
        cache[i % full] = bytes(SIZE)


def cache_of_the_latest(chance: random.Random) -> None:
    size, cache = chance.randrange(1, STEPS // 3), OrderedDict[int, bytes]()
    for i in pyusdt.steps(range(STEPS), "request"):
        traffic(TRAFFIC)
        cache[i] = bytes(SIZE)
        if len(cache) > size:
            cache.popitem(last=False)


def batches(chance: random.Random) -> None:
    period, batch = chance.randrange(2, STEPS // 2), []
    for i in pyusdt.steps(range(STEPS), "request"):
        traffic(TRAFFIC)
        batch.append(bytes(SIZE))
        if i % period == 0:
            batch.clear()


def as_it_comes(chance: random.Random) -> None:
    kept = []
    for _ in pyusdt.steps(range(STEPS), "request"):
        traffic(chance.randrange(2 * TRAFFIC))
        if chance.random() < 0.5:
            kept.append(bytes(chance.randrange(2 * KB)))
        elif kept:
            del kept[chance.randrange(len(kept))]


LEVEL = cache_that_fills, cache_of_the_latest, batches, as_it_comes
