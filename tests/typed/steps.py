# SPDX-License-Identifier: Apache-2.0
"""How type checkers see steps and marks. Checked by mypy --strict, never run."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import assert_type

import pyusdt

pyusdt.mark("plain")
pyusdt.mark("with a value", 3)
pyusdt.mark(name="by name", value=object())

with pyusdt.step("block") as block:
    reached = True
assert_type(block.name, str)
assert_type(reached, bool)


def passes_through() -> int:
    """A step swallows no exception, so this always returns."""
    with pyusdt.step("block"):
        return 3


@pyusdt.step("function")
def function(a: int, *, b: str = "") -> float:
    return a + len(b)


@pyusdt.step("generator")
def generator(n: int) -> Generator[int, str, bytes]:
    sent = yield n
    return sent.encode()


@pyusdt.step("coroutine")
async def coroutine(n: int) -> str:
    return str(n)


@pyusdt.step("asynchronous generator")
async def asynchronous(n: int) -> AsyncGenerator[int]:
    yield n


class Methods:
    @pyusdt.step("method")
    def method(self, n: int) -> str:
        return str(n)

    @pyusdt.step("above")
    @classmethod
    def above_class(cls, n: int) -> str:
        return cls.__name__ * n

    @classmethod
    @pyusdt.step("below")
    def below_class(cls, n: int) -> str:
        return cls.__name__ * n

    @pyusdt.step("above")
    @staticmethod
    def above_static(n: int) -> str:
        return str(n)

    @staticmethod
    @pyusdt.step("below")
    def below_static(n: int) -> str:
        return str(n)


async def use() -> None:
    assert_type(function(1, b="b"), float)
    assert_type(generator(1), Generator[int, str, bytes])
    assert_type(await coroutine(1), str)
    assert_type(asynchronous(1), AsyncGenerator[int])
    assert_type(Methods().method(1), str)
    assert_type(Methods.above_class(1), str)
    assert_type(Methods.below_class(1), str)
    assert_type(Methods.above_static(1), str)
    assert_type(Methods.below_static(1), str)
    assert_type(pyusdt.steps([1, 2], "items"), Iterator[int])
    assert_type(pyusdt.steps(asynchronous(3), "items"), AsyncIterator[int])
    for text in pyusdt.steps({"a": 1}, name="keys"):
        assert_type(text, str)
    async for number in pyusdt.steps(asynchronous(3), "items"):
        assert_type(number, int)


def misuse() -> None:
    pyusdt.mark(3)  # type: ignore[arg-type]
    pyusdt.step()  # type: ignore[call-arg]
    pyusdt.steps(3, "items")  # type: ignore[call-overload]
    function("a")  # type: ignore[arg-type]
    Methods.above_class("a")  # type: ignore[arg-type]
    Methods.above_static("a")  # type: ignore[arg-type]
