# SPDX-License-Identifier: Apache-2.0
"""Frames that are entered and left in every way there is, a known number of times."""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine, Generator

import pyusdt


def plain(x: int) -> int:
    x += 1
    return x


def nested(n: int) -> int:
    return nested(n - 1) if n else plain(n)


def numbers(n: int) -> Generator[int]:
    for i in range(n):
        yield i


def delegate() -> Generator[int]:
    yield from numbers(2)


def caught() -> Generator[int]:
    try:
        yield 1
    except ValueError:
        yield 2


def fail() -> None:
    raise KeyError


def passes_on() -> None:
    fail()


async def leaf() -> int:
    return 1


async def awaits() -> int:
    return await leaf()


def drive(work: Coroutine[object, None, int]) -> None:
    with contextlib.suppress(StopIteration):
        work.send(None)


def thrown_into() -> None:
    generator = caught()
    next(generator)
    generator.throw(ValueError)
    with contextlib.suppress(KeyError):
        generator.throw(KeyError)


def run() -> None:
    plain(1)
    nested(2)
    list(numbers(3))
    list(delegate())
    thrown_into()
    with contextlib.suppress(KeyError):
        passes_on()
    drive(awaits())


print("ready", flush=True)
while count := int(input()):
    for _ in range(count):
        run()
    print("done", flush=True)
