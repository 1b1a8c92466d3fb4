# SPDX-License-Identifier: Apache-2.0
"""@step(name): what is decorated stays what it was, and each call is a step."""

from __future__ import annotations

import asyncio
import functools
import inspect
import types
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from typing import Any

import pytest
from unit.inside import Reader, reading

import pyusdt

step = pyusdt.step("s")


@pytest.fixture
def reader() -> Iterator[Reader]:
    with reading() as reader:
        yield reader


@step
def plain(a: int, /, b: int = 2, *args: int, c: int = 3, **kwargs: int) -> tuple[Any, ...]:
    """What it says."""
    return a, b, args, c, kwargs


@step
def numbers(n: int) -> Generator[int, str, str]:
    got = []
    for i in range(n):
        try:
            got.append((yield i))
        except ValueError as error:
            got.append(f"caught {error}")
    return " ".join(got)


@step
async def sleep(n: int) -> int:
    for _ in range(n):
        await asyncio.sleep(0)
    return n


@step
async def items(n: int) -> AsyncGenerator[int, str]:
    log.append("in")
    try:
        for i in range(n):
            await asyncio.sleep(0)
            try:
                log.append((yield i))
            except ValueError as error:
                log.append(f"caught {error}")
    finally:
        await asyncio.sleep(0)
        log.append("out")


log: list[str | None] = []


@pytest.mark.parametrize(
    ("function", "kinds"),
    [
        (plain, set()),
        (numbers, {"isgeneratorfunction"}),
        (sleep, {"iscoroutinefunction"}),
        (items, {"isasyncgenfunction"}),
    ],
)
def test_it_is_the_same_kind_of_function(function: Callable[..., Any], kinds: set[str]) -> None:
    tests = ("isgeneratorfunction", "iscoroutinefunction", "isasyncgenfunction")
    assert {test for test in tests if getattr(inspect, test)(function)} == kinds
    assert inspect.isfunction(function)
    original = function.__wrapped__
    for attribute in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__"):
        assert getattr(function, attribute) == getattr(original, attribute)
    assert inspect.signature(function) == inspect.signature(original)


def test_a_function(reader: Reader) -> None:
    assert plain(1, 5, 6, c=7, d=8) == (1, 5, (6,), 7, {"d": 8})
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        plain()
    assert [(s.name, s.failed) for s in reader.steps] == [("s", False), ("s", True)]


def test_a_recursive_function(reader: Reader) -> None:
    @pyusdt.step("down")
    def down(n: int) -> int:
        return n and down(n - 1)

    assert down(10) == 0
    assert reader.entries() == list(range(10, -1, -1))


def test_a_generator(reader: Reader) -> None:
    generator = numbers(3)
    assert next(generator) == 0
    assert generator.send("one") == 1
    assert generator.throw(ValueError("two")) == 2
    assert reader.steps == []
    with pytest.raises(StopIteration) as end:
        generator.send("three")
    assert end.value.value == "one caught two three"
    assert [s.failed for s in reader.steps] == [False]


def test_generators_that_are_closed_dropped_or_fail(reader: Reader) -> None:
    unstarted, closed, dropped, failed = (numbers(3) for _ in range(4))
    for generator in (closed, dropped, failed):
        next(generator)
    unstarted.close()
    closed.close()
    del generator, dropped
    failed_generator = failed
    with pytest.raises(KeyError):
        failed_generator.throw(KeyError("mine"))
    assert [s.failed for s in reader.steps] == [False, False, True]


def test_a_coroutine(reader: Reader) -> None:
    async def main() -> list[int]:
        return await asyncio.gather(*(sleep(n) for n in (3, 1, 2)))

    assert asyncio.run(main()) == [3, 1, 2]
    assert reader.entries() == [1, 2, 0]


def test_a_task_that_is_cancelled(reader: Reader) -> None:
    async def main() -> None:
        task = asyncio.create_task(sleep(1000))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [s.failed for s in reader.steps] == [True]


def test_a_coroutine_of_the_old_kind(reader: Reader) -> None:
    @step
    @types.coroutine
    def old() -> Generator[None, None, int]:
        yield
        return 3

    async def main() -> int:
        return await old()

    assert asyncio.run(main()) == 3
    assert len(reader.steps) == 1


def run_generator(main: Callable[[AsyncGenerator[int, str]], Any]) -> Any:
    log.clear()
    return asyncio.run(main(items(3)))


def test_an_asynchronous_generator(reader: Reader) -> None:
    async def main(generator: AsyncGenerator[int, str]) -> list[int]:
        return [i async for i in generator]

    assert run_generator(main) == [0, 1, 2]
    assert log == ["in", None, None, None, "out"]
    assert [s.failed for s in reader.steps] == [False]


def test_sending_to_an_asynchronous_generator(reader: Reader) -> None:
    async def main(generator: AsyncGenerator[int, str]) -> None:
        assert await anext(generator) == 0
        assert await generator.asend("one") == 1
        assert await generator.athrow(ValueError("two")) == 2
        with pytest.raises(KeyError):
            await generator.athrow(KeyError("mine"))

    run_generator(main)
    assert log == ["in", "one", "caught two", "out"]
    assert [s.failed for s in reader.steps] == [True]


def test_closing_an_asynchronous_generator(reader: Reader) -> None:
    async def main(generator: AsyncGenerator[int, str]) -> None:
        await anext(generator)
        await generator.aclose()
        assert log == ["in", "out"]
        with pytest.raises(StopAsyncIteration):
            await anext(generator)
        await items(1).aclose()

    run_generator(main)
    assert [s.failed for s in reader.steps] == [False]


def test_an_asynchronous_generator_that_is_dropped(reader: Reader) -> None:
    async def main(generator: AsyncGenerator[int, str]) -> None:
        await anext(generator)
        del generator  # the loop closes it
        while "out" not in log:
            await asyncio.sleep(0)

    run_generator(main)
    assert log == ["in", "out"]
    assert [s.failed for s in reader.steps] == [False]


class Methods:
    @pyusdt.step("method")
    def method(self) -> str:
        return type(self).__name__

    @pyusdt.step("above class")
    @classmethod
    def above_class(cls) -> str:
        return cls.__name__

    @classmethod
    @pyusdt.step("below class")
    def below_class(cls) -> str:
        return cls.__name__

    @pyusdt.step("above static")
    @staticmethod
    def above_static(n: int) -> int:
        return n

    @staticmethod
    @pyusdt.step("below static")
    def below_static(n: int) -> int:
        return n

    @property
    @pyusdt.step("property")
    def value(self) -> int:
        return 3

    @functools.cached_property
    @pyusdt.step("cached")
    def cached(self) -> int:
        return 4


def test_methods_of_every_kind(reader: Reader) -> None:
    for one in (Methods(), Methods):
        assert one.above_class() == one.below_class() == "Methods"
        assert one.above_static(1) == one.below_static(1) == 1
    assert Methods().method() == Methods.method(Methods()) == "Methods"
    one = Methods()
    assert (one.value, one.cached, one.cached) == (3, 4, 4)
    of_class = ["above class", "below class", "above static", "below static"]
    assert reader.names() == [*of_class * 2, "method", "method", "property", "cached"]


def test_callables_that_are_no_functions(reader: Reader) -> None:
    class Same:
        def __call__(self, n: int) -> int:
            return n

    assert step(functools.partial(max, 3))(4) == 4
    assert step(len)("abc") == 3
    assert step(Same())(5) == 5
    assert asyncio.run(step(functools.partial(sleep.__wrapped__, 2))()) == 2
    assert len(reader.steps) == 4
