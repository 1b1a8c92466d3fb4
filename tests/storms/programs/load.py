# SPDX-License-Identifier: Apache-2.0
"""Threads that never rest: generators, coroutines, exceptions, recursion, code that dies."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType


def numbers(n: int) -> Iterator[int]:
    for i in range(n):
        yield i


def tree(n: int) -> Iterator[int]:
    if n:
        yield from tree(n - 1)
        yield n
        yield from tree(n - 1)


def generators() -> None:
    assert sum(tree(5)) == 57
    abandoned = numbers(3)
    next(abandoned)
    del abandoned
    thrown = numbers(3)
    next(thrown)
    try:
        thrown.throw(KeyError("thrown"))
    except KeyError:
        pass


async def hop(n: int) -> int:
    await asyncio.sleep(0)
    return n


async def stream(n: int):  # type: ignore[no-untyped-def]
    for i in range(n):
        yield await hop(i)


async def tasks() -> None:
    assert sum(await asyncio.gather(*map(hop, range(10)))) == 45
    assert [i async for i in stream(3)] == [0, 1, 2]
    slow = asyncio.create_task(asyncio.sleep(60))
    await hop(0)
    slow.cancel()


def coroutines() -> None:
    asyncio.run(tasks())


def fall(n: int) -> None:
    try:
        if n == 0:
            raise ValueError("bottom")
        fall(n - 1)
    finally:
        len("finally")


def exceptions() -> None:
    try:
        fall(10)
    except ValueError:
        pass
    try:
        try:
            int("x")
        except ValueError as error:
            raise RuntimeError("again") from error
    except RuntimeError:
        pass


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def recursion() -> None:
    assert fib(12) == 144


def made() -> int:
    return 7


def code_that_dies() -> None:
    for i in range(20):
        code = made.__code__.replace(co_name=f"made{i}")
        assert FunctionType(code, {"__name__": f"module{i}"})() == 7
    gc.collect(0)


def short_threads() -> None:
    threads = [threading.Thread(target=recursion) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


LOADS = (generators, coroutines, exceptions, recursion, code_that_dies, short_threads)


class Failures(list[str]):
    """What went wrong in a thread: nothing may."""


@contextmanager
def running() -> Iterator[Failures]:
    """Run all loads, each in a thread of its own, until the block ends."""
    failures = Failures()
    over = threading.Event()

    def repeat(load: Callable[[], None]) -> None:
        try:
            while not over.is_set():
                load()
        except BaseException as error:
            failures.append(f"{load.__name__}: {error!r}")

    # Under a sanitizer, to hand over the GIL takes longer than a tenth of this.
    sys.setswitchinterval(1e-3 if os.environ.get("PYUSDT_TEST_VARIABLES") else 1e-4)
    threads = [threading.Thread(target=repeat, args=(load,)) for load in LOADS]
    for thread in threads:
        thread.start()
    try:
        yield failures
    finally:
        over.set()
        for thread in threads:
            thread.join()
