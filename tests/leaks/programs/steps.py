# SPDX-License-Identifier: Apache-2.0
import asyncio
import contextlib
import gc
import sys

from unit.inside import watched

import pyusdt

ROUNDS = 1000
shared = pyusdt.step("shared")
name = "n\u00e4me"
odd = "odd\udc80"


@pyusdt.step("decorated")
def decorated(n):
    if n:
        decorated(n - 1)


async def produce():
    yield 1
    yield 2


async def loop():
    async for _ in pyusdt.steps(produce(), name):
        break


def use():
    for text in (name, odd):
        pyusdt.mark(text, value=[10**30, object()])
        fresh = pyusdt.step(text)
        with fresh, shared, fresh, shared, fresh:
            pass
        for _ in pyusdt.steps(iter(range(4)), text):
            break
    with contextlib.suppress(ValueError), pyusdt.step(name):
        for _ in pyusdt.steps(range(4), name):
            raise ValueError
    decorated(10)
    with contextlib.suppress(StopIteration):
        loop().send(None)


def misuse():
    for call in (
        lambda: pyusdt.mark(),
        lambda: pyusdt.mark(3),
        lambda: pyusdt.mark("a", x=1),
        lambda: pyusdt.mark("a", name="b"),
        lambda: pyusdt.mark(1, 2, 3),
        lambda: pyusdt.step(b"x"),
        lambda: pyusdt.steps(3, "x"),
        lambda: pyusdt.steps([], 3),
        lambda: pyusdt.step("x")(3),
    ):
        with contextlib.suppress(TypeError):
            call()
            raise AssertionError


def grown(work):
    for _ in range(50):
        work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(ROUNDS):
        work()
    gc.collect()
    return sys.getallocatedblocks() - before


references = [sys.getrefcount(text) for text in (name, odd)]
print("unwatched", grown(use))
with watched("mark", "step__start", "step__done"):
    print("watched", grown(use))
print("misused", grown(misuse))
after = [sys.getrefcount(text) for text in (name, odd)]
print("references", *[b - a for a, b in zip(references, after)])
