# SPDX-License-Identifier: Apache-2.0
"""What decorated callables and loops keep: attributes, lengths, copies of them, being async."""

from __future__ import annotations

import asyncio
import collections.abc
import concurrent.futures
import copy
import functools
import gc
import inspect
import operator
import pickle
import warnings
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

import cloudpickle
import pytest
from unit.inside import Reader, reading

import pyusdt

step = pyusdt.step("s")


@pytest.fixture
def reader() -> Iterator[Reader]:
    with reading() as reader:
        yield reader


# attributes


def test_a_cached_function_keeps_its_cache(reader: Reader) -> None:
    @step
    @functools.lru_cache(maxsize=7)
    def double(n: int) -> int:
        return 2 * n

    assert [double(1), double(1), double(2)] == [2, 2, 4]
    assert double.cache_info() == (1, 2, 7, 2)
    assert double.cache_parameters() == {"maxsize": 7, "typed": False}
    double.cache_clear()
    assert double.cache_info().currsize == 0
    assert double.__name__ == "double"
    assert len(reader.steps) == 3


class Most:
    def __call__(self, n: int) -> int:
        return max(3, n)


class Cached:
    factor = 3

    @step
    @functools.cache  # noqa: B019
    def times(self, n: int) -> int:
        return self.factor * n

    @step
    @functools.singledispatch
    def kind(self: object) -> str:
        return "object"

    most = step(Most())


def test_callables_in_a_class_bind_as_they_do_themselves(reader: Reader) -> None:
    one = Cached()
    assert one.times(2) == one.times(2) == Cached.times(one, 2) == 6
    assert Cached.times.cache_info().hits == 2
    assert one.most(4) == 4  # an object without __get__ is not bound
    assert one.kind() == "object"
    assert len(reader.steps) == 5


class Command:
    """Such as frameworks make of functions."""

    def __init__(self) -> None:
        self.options = ["-v"]

    def __call__(self, n: int) -> int:
        return n

    def main(self) -> str:
        return "main"


def test_an_object_keeps_its_attributes_and_its_class() -> None:
    command = step(Command())
    assert isinstance(command, Command)
    assert (command.options, command.main(), command(3)) == (["-v"], "main", 3)
    with pytest.raises(AttributeError, match="'Command' object has no attribute 'nothing'"):
        _ = command.nothing
    assert list(inspect.signature(command).parameters) == ["n"]


# pickles


@step
def module_function(n: int) -> int:
    return n + 1


@step
@functools.cache
def module_cached(n: int) -> int:
    return n + 1


@pytest.mark.parametrize("function", [module_function, module_cached])
def test_functions_of_a_module_are_pickled_by_name(function: Callable[[int], int]) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(function, protocol)) is function
    assert copy.deepcopy(function) is function


@pytest.mark.parametrize("block", [step, pyusdt.record()])
def test_functions_are_pickled_by_value(block: Any) -> None:
    @block
    def local(n: int) -> int:
        return n + 1

    @block
    async def serve(n: int) -> int:
        return n + 1

    @block
    def generate(n: int) -> Iterator[int]:
        yield n + 1

    text = cloudpickle.dumps((local, serve, generate))
    local, serve, generate = pickle.loads(text)
    assert (local(1), asyncio.run(serve(1)), list(generate(1))) == (2, 2, [2])


def test_objects_are_pickled_with_their_decoration(reader: Reader) -> None:
    command = pickle.loads(pickle.dumps(step(Command())))
    assert isinstance(command, Command)
    assert command(5) == 5
    assert pickle.loads(pickle.dumps(step(functools.partial(max, 3))))(4) == 4
    assert reader.names() == ["s", "s"]


def test_a_step_is_pickled_by_its_name() -> None:
    for made in (pickle.loads(pickle.dumps(step)), copy.copy(step), copy.deepcopy([step])[0]):
        assert type(made) is type(step)
        assert made.name == "s"


def test_a_recording_is_pickled_by_its_options(tmp_path: Any) -> None:
    path = str(tmp_path / "out.pyusdt")
    rec = pyusdt.record(path, only="a,b", exclude=["c"], c_calls=True, max_nodes=9, flush=2.5)
    made = pickle.loads(pickle.dumps(rec))
    assert type(made) is pyusdt.record
    assert (made.path, made.c_calls, made.max_nodes, made.flush) == (path, True, 9, 2.5)
    assert made.filters == ("a,b", "c")


def test_what_is_left_of_a_loop_is_pickled() -> None:
    loop = pyusdt.steps([1, 2, 3], "item")
    assert next(loop) == 1
    assert list(pickle.loads(pickle.dumps(loop))) == [2, 3]
    with pytest.raises(TypeError, match="cannot pickle 'generator' object"):
        pickle.dumps(pyusdt.steps((i for i in "ab"), "item"))


# lengths


class Sized:
    def __len__(self) -> int:
        return 7

    def __getitem__(self, i: int) -> int:
        return range(7)[i]


@pytest.mark.parametrize("iterable", [[1, 2, 3], {}, "abc", range(10**6), Sized()])
def test_what_has_a_length_keeps_it(iterable: Any) -> None:
    loop = pyusdt.steps(iterable, "item")
    assert isinstance(loop, collections.abc.Sized)
    assert len(loop) == len(iterable)
    assert bool(loop) == bool(iterable)
    for _ in loop:
        break
    assert len(loop) == len(iterable)


def test_what_has_none_has_none() -> None:
    loop = pyusdt.steps((i for i in "ab"), "item")
    assert not isinstance(loop, collections.abc.Sized)
    assert loop
    assert operator.length_hint(loop, -1) == -1


def test_the_hint_of_an_iterator() -> None:
    loop = pyusdt.steps(iter([1, 2, 3]), "item")
    assert operator.length_hint(loop, -1) == 3
    next(loop)
    assert operator.length_hint(loop, -1) == 2


def test_a_length_that_fails() -> None:
    class Odd(Sized):
        def __len__(self) -> int:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        len(pyusdt.steps(Odd(), "item"))


def test_an_asynchronous_loop_keeps_its_length() -> None:
    class Pages:
        def __aiter__(self) -> AsyncIterator[int]:
            return self.pages()

        async def pages(self) -> AsyncIterator[int]:
            yield 1

    class SizedPages(Pages):
        def __len__(self) -> int:
            return 1

    assert len(pyusdt.steps(SizedPages(), "page")) == 1  # type: ignore[arg-type]
    assert not hasattr(pyusdt.steps(Pages(), "page"), "__len__")


# async


async def sleep(n: int) -> int:
    for _ in range(n):
        await asyncio.sleep(0)
    return n


class Handler:
    async def __call__(self, n: int) -> int:
        return await sleep(n)


@inspect.markcoroutinefunction
def marked(n: int) -> Any:
    return sleep(n)


def returning(n: int) -> Any:
    return sleep(n)


def making_a_task(n: int) -> Any:
    return asyncio.ensure_future(sleep(n))


class Awaitable:
    def __init__(self, n: int) -> None:
        self.n = n

    def __await__(self) -> Generator[Any, Any, int]:
        return sleep(self.n).__await__()


def making_an_awaitable(n: int) -> Any:
    return Awaitable(n)


KINDS = [
    sleep,
    Handler(),
    functools.partial(sleep),
    functools.partial(functools.partial(Handler())),
    marked,
    returning,
    making_a_task,
    making_an_awaitable,
    functools.lru_cache(returning),
]


@pytest.mark.parametrize("function", KINDS)
def test_the_step_lasts_until_it_is_done(reader: Reader, function: Any) -> None:
    decorated = step(function)
    assert inspect.iscoroutinefunction(decorated) == inspect.iscoroutinefunction(function)
    if inspect.iscoroutinefunction(function.__call__):
        assert inspect.iscoroutinefunction(decorated.__call__)

    async def main() -> None:
        async def one(n: int) -> None:
            assert await decorated(n) == n

        await asyncio.gather(*(one(n) for n in (9, 1, 5)))

    asyncio.run(main())
    assert reader.entries() == [1, 2, 0]


@pytest.mark.parametrize("function", [Handler(), returning, making_a_task, making_an_awaitable])
def test_the_recording_lasts_until_it_is_done(function: Any) -> None:
    rec = pyusdt.record(only=__name__)

    async def main() -> None:
        await rec(function)(30)
        await asyncio.sleep(0)
        await sleep(5)

    asyncio.run(main())
    (found,) = [f for f in rec.functions if f.record.qualname == "sleep"]
    assert (found.calls, found.resumes >= 28) == (1, True)


def test_a_returned_coroutine_is_a_coroutine(reader: Reader) -> None:
    async def main() -> None:
        coroutine = step(returning)(3)
        assert inspect.iscoroutine(coroutine)
        assert asyncio.iscoroutine(coroutine)
        assert inspect.isawaitable(coroutine)
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED
        assert coroutine.__qualname__ == "sleep"
        assert reader.steps == []
        assert await asyncio.create_task(coroutine) == 3
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED

    asyncio.run(main())
    assert asyncio.run(step(returning)(2)) == 2
    assert [s.failed for s in reader.steps] == [False, False]


def test_a_returned_coroutine_that_fails_or_is_cancelled(reader: Reader) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("mine")

    async def main() -> None:
        with pytest.raises(KeyError):
            await step(lambda: fail())()
        with pytest.raises(KeyError):
            await step(lambda: asyncio.create_task(fail()))()
        await asyncio.sleep(0)
        task = asyncio.create_task(step(returning)(1000))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [s.failed for s in reader.steps] == [True, True, True]


def test_a_coroutine_that_is_never_awaited_is_reported_once(reader: Reader) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        step(returning)(3)
        gc.collect()
    assert [str(w.message) for w in caught] == ["coroutine 'sleep' was never awaited"]
    assert len(reader.steps) == 1
    step(returning)(3).close()
    assert len(reader.steps) == 2


def test_an_exception_that_nobody_retrieves_is_still_reported() -> None:
    seen: list[dict[str, Any]] = []

    async def fail() -> None:
        raise KeyError("mine")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
        step(lambda: asyncio.create_task(fail()))()
        await sleep(3)
        gc.collect()

    asyncio.run(main())
    assert [context["message"] for context in seen] == ["Task exception was never retrieved"]


def test_futures_and_what_has_other_uses_are_the_same_objects(reader: Reader) -> None:
    class Request(Awaitable):
        async def __aenter__(self) -> Request:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        assert step(lambda: future)() is future
        assert len(reader.steps) == 0
        future.set_result(3)
        await asyncio.sleep(0)
        assert len(reader.steps) == 1
        request = Request(2)
        assert step(lambda: request)() is request
        assert await request == 2

    asyncio.run(main())
    thread: concurrent.futures.Future[int] = concurrent.futures.Future()
    assert step(lambda: thread)() is thread
    assert len(reader.steps) == 3


def test_other_awaitables_pass_for_what_they_are(reader: Reader) -> None:
    async def main() -> None:
        awaitable = step(making_an_awaitable)(4)
        assert isinstance(awaitable, Awaitable)
        assert awaitable.n == 4
        assert await awaitable == 4
        assert len(reader.steps) == 1

    asyncio.run(main())
