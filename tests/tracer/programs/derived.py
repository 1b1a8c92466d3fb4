# SPDX-License-Identifier: Apache-2.0
"""What the derived probes are to tell of, once for each line of input that asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
import time
from collections.abc import Callable, Generator

import pyusdt

MSEC = 1_000_000


def spin(nsec: int) -> None:
    end = time.perf_counter_ns() + nsec
    while time.perf_counter_ns() < end:
        pass


def timed() -> None:
    """20 ms of its own, and as many in a call; tells both as perf_counter_ns sees them."""
    begin = time.perf_counter_ns()
    spin(20 * MSEC)
    inner = time.perf_counter_ns() - begin
    end = time.perf_counter_ns() + 20 * MSEC
    while time.perf_counter_ns() < end:
        pass
    elapsed = time.perf_counter_ns() - begin
    print("timed", elapsed, elapsed - inner, flush=True)


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def numbers(n: int) -> Generator[int]:
    yield from range(n)


def fail(depth: int) -> None:
    if depth:
        fail(depth - 1)
    raise ValueError(depth)


async def leaf() -> None:
    await asyncio.sleep(0)


async def tasks() -> None:
    await asyncio.gather(*(leaf() for _ in range(7)))


async def sleeper() -> None:
    await asyncio.sleep(0.02)


def sleeps() -> None:
    asyncio.run(sleeper())


def fast() -> None:
    pass


def slow() -> None:
    time.sleep(0.02)


def outcomes() -> None:
    fib(6)
    list(numbers(4))
    closed = numbers(9)
    next(closed)
    closed.close()
    with contextlib.suppress(ValueError):
        fail(2)
    asyncio.run(tasks())


def slowly() -> None:
    for _ in range(1000):
        fast()
    for _ in range(10):
        slow()


def collect() -> None:
    for generation in (0, 1, 2, 2):
        gc.collect(generation)


def make() -> None:
    for i in range(5):
        namespace: dict[str, Callable[[], int]] = {"__name__": "made"}
        exec(f"def made_{i}(): return {i}\ndef same(): return 0\nmade_{i}()\nsame()", namespace)


def in_threads() -> None:
    for _ in range(3):
        threads = [threading.Thread(target=fib, args=(3,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def deep(n: int) -> None:
    if n:
        deep(n - 1)
    else:
        print("deep", flush=True)
        sys.stdin.readline()
        fast()


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        command = line.strip()
        if command == "deep":
            deep(20)
        else:
            globals()[command]()
        print(f"done {command}", flush=True)


main()
