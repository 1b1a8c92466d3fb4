# SPDX-License-Identifier: Apache-2.0
"""A program whose answers are known: does what its arguments name, in that order.

Numbers are primes: nothing else comes to them by chance.
"""

import asyncio
import contextlib
import gc
import os
import sys
import threading
import time
from collections.abc import Iterator

import pyusdt


class Shop:
    def sell(self) -> None:
        pass


def work() -> None:
    pass


def numbers() -> Iterator[int]:
    yield from range(5)


def calls() -> None:
    for _ in range(23):
        work()
    for _ in range(7):
        Shop().sell()
    list(numbers())


def lonely() -> None:
    pass


def remote() -> None:
    for _ in range(7):
        lonely()


def slow() -> None:
    time.sleep(0.02)


def slowly() -> None:
    for _ in range(23):
        work()
    for _ in range(5):
        slow()


def brisk() -> None:
    time.sleep(0.003)


def briskly() -> None:
    for _ in range(23):
        brisk()


def fact(n: int) -> int:
    return n * fact(n - 1) if n else 1


def fail(text: str) -> None:
    raise ValueError(text)


def stays() -> None:
    """On one processor: bpftrace 0.17 has a buffer for each, and so one order."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def flow() -> None:
    fact(2)
    list(numbers())
    with contextlib.suppress(ValueError):
        fail("so")


def crosses(text: str) -> None:
    fail(text)


def swallows(text: str) -> None:
    try:
        crosses(text)
    except ValueError:
        pass


def passes_on() -> None:
    try:
        crosses("passed on")
    except ValueError:
        raise


def translates() -> None:
    try:
        crosses("translated")
    except ValueError as e:
        raise KeyError("other") from e


class Attributes:
    def __getattr__(self, name: str) -> None:
        raise AttributeError(name)


def exceptions() -> None:
    for i in range(23):
        swallows(f"number {i}")
    for function in [passes_on] * 3 + [translates] * 5:
        try:
            function()
        except (ValueError, KeyError):
            pass
        finally:
            work()
    for _ in range(7):
        hasattr(Attributes(), "swallowed_by_c_code")


class Node:
    def __init__(self) -> None:
        self.me = self


def garbage() -> None:
    gc.collect()
    gc.disable()
    for _ in range(23):
        Node()
    for _ in range(7):
        gc.collect()


def crunch() -> None:
    time.sleep(0.05)


async def blocker() -> None:
    for _ in range(3):
        await asyncio.sleep(0.05)
        crunch()


async def healthy() -> None:
    for _ in range(20):
        await asyncio.sleep(0.01)


async def tasks() -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(100):
            group.create_task(healthy())
        group.create_task(blocker())


def loop() -> None:
    asyncio.run(tasks())


def busy() -> None:
    """Half of it in a thread; until the test has seen it."""
    threads = [threading.Thread(target=both) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdin.readline()


def both() -> None:
    for _ in range(499):
        work()
    for _ in range(11):
        swallows("busy")


LOCK = threading.Lock()


def hoards() -> None:
    with LOCK:
        time.sleep(0.03)
    time.sleep(0.001)


def needs() -> None:
    with LOCK:
        pass
    time.sleep(0.002)


def locks() -> None:
    threads = [
        threading.Thread(target=lambda do=do: [do() for _ in range(11)]) for do in (hoards, needs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def marks() -> None:
    for _ in range(23):
        with pyusdt.step("parse"):
            work()
    for _ in range(5):
        with pyusdt.step("store"):
            slow()
    for _ in range(7):
        pyusdt.mark("refused")


def waits() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def ends() -> None:
    sys.exit(3)


for name in sys.argv[1:]:
    globals()[name]()
