# SPDX-License-Identifier: Apache-2.0
"""`pyusdt.record` on functions of every kind."""

from __future__ import annotations

import asyncio
import inspect
import types

import pytest

import pyusdt

from .recorded import calls, counts, work


def test_decorated_function():
    rec = pyusdt.record()

    @rec
    def function(a: int, *, b: int = 2) -> int:
        """It has a docstring."""
        work()
        return a + b

    assert function(1, b=5) == 6
    assert function(1) == 3
    assert counts(rec) == {"work": 2, "leaf": 6}
    assert calls(rec.recording, __name__)["test_decorated_function.<locals>.function"] == 2
    assert function.__name__ == "function"
    assert function.__doc__ == "It has a docstring."
    assert list(inspect.signature(function).parameters) == ["a", "b"]


class Service:
    rec = pyusdt.record()

    @rec
    def method(self, n: int) -> int:
        work(n)
        return n

    @staticmethod
    @rec
    def static(n: int) -> int:
        return n

    @rec
    @classmethod
    def make(cls) -> Service:
        return cls()


def test_decorated_methods():
    service = Service.make()
    assert service.method(4) == 4
    assert Service.static(5) == 5
    assert counts(Service.rec) == {"work": 1, "leaf": 4}
    found = calls(Service.rec.recording, __name__)
    assert [found[f"Service.{name}"] for name in ("make", "method", "static")] == [1, 1, 1]


def test_decorated_generator():
    rec = pyusdt.record()

    @rec
    def numbers(n: int):
        got = []
        for i in range(n):
            work()
            got.append((yield i))
        return got

    assert inspect.isgeneratorfunction(numbers)
    generator = numbers(2)
    assert rec.functions == []  # it has not begun
    assert next(generator) == 0
    assert generator.send("a") == 1
    with pytest.raises(StopIteration) as stop:
        generator.send("b")
    assert stop.value.value == ["a", "b"]
    assert counts(rec)["leaf"] == 6
    generator = numbers(3)
    next(generator)
    generator.close()
    assert counts(rec)["leaf"] == 9


def test_decorated_coroutine():
    rec = pyusdt.record()

    @rec
    async def serve(n: int) -> int:
        await asyncio.sleep(0)
        work()
        return n

    @rec
    @types.coroutine
    def old(n: int):
        work()
        yield
        return n

    async def main() -> list[int]:
        return [*await asyncio.gather(serve(1), serve(2)), await old(3)]

    assert inspect.iscoroutinefunction(serve)
    assert asyncio.run(main()) == [1, 2, 3]
    assert counts(rec)["leaf"] == 9


def test_decorated_asynchronous_generator():
    rec = pyusdt.record()
    seen = []

    @rec
    async def items(n: int):
        try:
            for i in range(n):
                work()
                try:
                    seen.append((yield i))
                except KeyError as error:
                    seen.append(error)
        finally:
            await asyncio.sleep(0)
            seen.append("closed")

    async def main() -> None:
        assert [i async for i in items(2)] == [0, 1]
        generator = items(9)
        assert await anext(generator) == 0
        assert await generator.asend("sent") == 1
        assert await generator.athrow(KeyError("thrown")) == 2
        await generator.aclose()

    assert inspect.isasyncgenfunction(items)
    asyncio.run(main())
    assert [str(item) for item in seen] == [
        "None", "None", "closed", "sent", "'thrown'", "closed"
    ]  # fmt: skip
    assert counts(rec)["leaf"] == 15


def test_what_cannot_be_decorated():
    with pytest.raises(TypeError, match=r"record\(\) decorates functions, not the class Service"):
        pyusdt.record()(Service)
    with pytest.raises(TypeError, match=r"record\(\) decorates functions, not int objects"):
        pyusdt.record()(3)


def test_the_program_does_not_see_the_recorder_in_its_tree():
    @pyusdt.record()
    def function() -> None:
        work()

    with pyusdt.record() as rec:
        function()
    modules = {f.record.module for f in rec.functions}
    assert not any(module.startswith("pyusdt") for module in modules)
    assert "contextlib" not in modules
