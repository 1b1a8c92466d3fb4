# SPDX-License-Identifier: Apache-2.0
"""Every kind of function, call, line and exception, a known number of times."""

from __future__ import annotations

import asyncio
import contextlib
import sys

ODD_FILE = "<odd: ünï 'file'>"
FILES = (__file__, ODD_FILE)


class Shop:
    def __init__(self, price: int) -> None:
        self.price = price

    def total(self, n: int) -> int:
        return self.price * n

    @staticmethod
    def name() -> str:
        return "shöp"

    @classmethod
    def make(cls) -> Shop:
        return cls(7)


class BoomError(Exception):
    pass


class Awkward:
    """Whoever runs code of ours to print this pays for it."""

    def __repr__(self) -> str:
        raise AssertionError("repr() was called")


class Endless:
    def __repr__(self) -> str:
        while True:
            pass


def outer(x: int) -> int:
    def inner(y: int) -> int:
        return y + 1

    return inner(x) + (lambda: 3)()


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def größe() -> float:
    return 1.5


def values() -> list[object]:
    def give(value: object) -> object:
        return value

    results = [None, True, -5, 2**70, 0.1, "a'b\n", "\udc80", b"\x00b", [1, (2, {"k": 3})]]
    for value in [*results, Awkward(), Endless(), sys.monitoring.MISSING, Shop]:
        give(value)
    return []


def numbers(n: int):  # type: ignore[no-untyped-def]
    try:
        yield from range(n)
    except ValueError as error:
        yield str(error)
    return "end"


def delegate():  # type: ignore[no-untyped-def]
    result = yield from numbers(2)
    yield result


def generators() -> None:
    assert list(delegate()) == [0, 1, "end"]
    g = numbers(3)
    next(g)
    g.send(None)
    assert g.throw(ValueError("thrown")) == "thrown"
    next(g, None)
    for _ in range(3):
        g = numbers(2)
        next(g)
        g.throw(ValueError("again"))
    assert sum(i for i in numbers(4)) == 6


async def leaf(n: int) -> int:
    await asyncio.sleep(0)
    return n


async def agen(n: int):  # type: ignore[no-untyped-def]
    for i in range(n):
        yield await leaf(i)


async def tasks() -> None:
    assert sum(await asyncio.gather(*(leaf(i) for i in range(5)))) == 10
    assert [i async for i in agen(3)] == [0, 1, 2]


def raise_deep(n: int) -> None:
    if n:
        raise_deep(n - 1)
    raise BoomError("too deep")


def exceptions() -> None:
    with contextlib.suppress(BoomError):
        raise_deep(3)
    try:
        try:
            int("x")
        finally:
            str(1)
    except ValueError:
        pass
    try:
        try:
            raise KeyError(1)
        except KeyError as error:
            raise BoomError from error
    except BoomError:
        pass
    for _ in range(3):
        try:
            {}["missing"]
        except KeyError:
            continue


def c_calls() -> None:
    text = "a,b"
    text.split(",")
    len(text)
    [].append(1)
    max([3, 1])
    str.upper("x")
    for bad in ("x", "y"):
        with contextlib.suppress(ValueError):
            int(bad)


def lines(n: int) -> int:
    total = 0
    for i in range(n):
        total += i
        if i % 2:
            total -= 1
    return total


def run() -> None:
    shop = Shop.make()
    shop.total(3)
    shop.name()
    outer(1)
    fib(6)
    größe()
    values()
    generators()
    asyncio.run(tasks())
    exceptions()
    c_calls()
    lines(10)
    exec(compile("def made():\n    return 'odd'\nmade()\n", ODD_FILE, "exec"), {"__name__": "odd"})
