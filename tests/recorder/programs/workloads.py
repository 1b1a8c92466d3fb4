# SPDX-License-Identifier: Apache-2.0
"""Deterministic programs: each function here does the same calls every time."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import threading
from collections.abc import AsyncIterator, Iterator


def recursion() -> int:
    def fib(n: int) -> int:
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    def even(n: int) -> bool:
        return n == 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n != 0 and even(n - 1)

    return fib(12) + even(40)


class Shape:
    sides = 0

    def __init__(self, size: int) -> None:
        self.size = size

    @property
    def area(self) -> int:
        return self._area()

    def _area(self) -> int:
        return self.size * self.sides

    @classmethod
    def make(cls, size: int) -> Shape:
        return cls(size)

    @staticmethod
    def twice(n: int) -> int:
        return n * 2

    def __lt__(self, other: Shape) -> bool:
        return self.size < other.size


class Square(Shape):
    sides = 4

    def __init__(self, size: int) -> None:
        super().__init__(size)


def methods() -> int:
    shapes = sorted(Square.make(Shape.twice(n)) for n in range(20))
    total = sum(shape.area for shape in shapes)
    return total + functools.reduce(lambda a, b: a + b.size, shapes, 0)


def numbers(n: int) -> Iterator[int]:
    for i in range(n):
        yield i


def walk(depth: int) -> Iterator[int]:
    if depth:
        yield from walk(depth - 1)
        yield depth
        yield from walk(depth - 1)


def echo() -> Iterator[int]:
    got = 0
    while True:
        try:
            got = yield got
        except ValueError:
            got = -1


def generators() -> int:
    total = sum(numbers(30)) + sum(walk(5)) + sum(x * x for x in numbers(9))
    talk = echo()
    next(talk)
    for i in range(5):
        total += talk.send(i)
    total += talk.throw(ValueError())
    return total


def fail(depth: int) -> None:
    if depth == 0:
        raise KeyError(depth)
    fail(depth - 1)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    try:
        yield
    finally:
        numbers(1)


def exceptions() -> int:
    caught = 0
    for i in range(10):
        try:
            with guarded():
                fail(i)
        except KeyError:
            caught += 1
    with contextlib.suppress(ValueError):
        int("nine")
    return caught


async def tick(n: int) -> int:
    await asyncio.sleep(0)
    return n


async def ticks(n: int) -> AsyncIterator[int]:
    for i in range(n):
        yield await tick(i)


async def gather() -> int:
    found = await asyncio.gather(*(tick(i) for i in range(10)))
    return sum(found) + sum([i async for i in ticks(4)])


def coroutines() -> int:
    """Coroutines driven by hand: a loop's own work depends on time."""

    async def leaf(n: int) -> int:
        return n

    async def main() -> int:
        return sum([await leaf(i) for i in range(7)])

    try:
        main().send(None)
    except StopIteration as stop:
        return int(stop.value)
    return 0


def library() -> str:
    return json.dumps(json.loads('{"a": [1, 2, {"b": null}], "c": "\\u00e4"}'), indent=1)


def threads() -> None:
    workers = [threading.Thread(target=recursion, name=f"worker-{i}") for i in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


ALL = [recursion, methods, generators, exceptions, coroutines, library]
