# SPDX-License-Identifier: Apache-2.0
"""step(), steps() and mark(): which steps readers are told of, with which times."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from http import HTTPStatus
from typing import NoReturn

import pytest
from unit.inside import Reader, fired, nanoseconds, reading, watched

import pyusdt


@pytest.fixture
def reader() -> Iterator[Reader]:
    with reading() as reader:
        yield reader


def spin(ns: int) -> None:
    end = time.perf_counter_ns() + ns
    while time.perf_counter_ns() < end:
        pass


# with


def block(step: pyusdt.libpyusdt.Step) -> Generator[None]:
    with step:
        yield


def test_a_block_is_a_step(reader):
    with pyusdt.step("load") as step:
        assert reader.steps == []
    assert step.name == "load"
    assert [(s.name, s.failed) for s in reader.steps] == [("load", False)]


def test_an_exception_ends_the_step_and_passes(reader):
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught, pyusdt.step("load"):
        raise error
    assert caught.value is error
    assert reader.steps[0].failed


def test_closing_a_generator_is_no_failure(reader):
    generator = block(pyusdt.step("closed"))
    next(generator)
    generator.close()
    assert not reader.steps[0].failed


def test_elapsed_is_the_time_of_the_block(reader):
    errors = []
    for _ in range(5):  # the machine may be busy during one of them
        before = time.perf_counter_ns()
        with pyusdt.step("timed"):
            begin = time.perf_counter_ns()
            spin(2_000_000)
            inner = time.perf_counter_ns() - begin
        outer = time.perf_counter_ns() - before
        elapsed = nanoseconds(reader.steps[-1].elapsed)
        assert inner * 0.98 <= elapsed <= outer * 1.02
        errors.append(abs(elapsed / inner - 1))
    assert min(errors) < 0.02


def test_one_object_nests(reader):
    step = pyusdt.step("again")

    def down(n: int) -> None:
        with step, step:
            if n:
                down(n - 1)

    down(20)
    down(3)
    assert reader.entries() == [*range(41, -1, -1), *range(49, 41, -1)]


@pytest.mark.parametrize("seed", range(20))
def test_one_object_in_blocks_that_take_turns(reader, seed):
    """Blocks begin and end in any order: each end has the start of its own block."""
    choose = random.Random(seed)
    step = pyusdt.step("shared")
    running: list[tuple[int, Generator[None]]] = []
    begun, ended = 0, []
    while begun < 50 or running:
        if begun < 50 and (not running or choose.random() < 0.5):
            generator = block(step)
            next(generator)
            running.append((begun, generator))
            begun += 1
        else:
            number, generator = running.pop(choose.randrange(len(running)))
            generator.close()
            ended.append(number)
    assert reader.entries() == ended


def test_one_object_in_tasks(reader):
    step = pyusdt.step("task")
    order = [3, 0, 4, 1, 2]

    async def work(number: int, gates: list[asyncio.Event]) -> None:
        with step:
            await gates[number].wait()

    async def main() -> None:
        gates = [asyncio.Event() for _ in order]
        tasks = [asyncio.create_task(work(n, gates)) for n in range(len(order))]
        await asyncio.sleep(0)
        for number in order:
            gates[number].set()
            await tasks[number]

    asyncio.run(main())
    assert reader.entries() == order


def test_one_object_in_threads(reader):
    step = pyusdt.step("thread")
    order = [1, 3, 0, 2]
    inside = [threading.Event() for _ in order]
    leave = [threading.Event() for _ in order]

    def work(number: int) -> None:
        with step:
            inside[number].set()
            assert leave[number].wait(60)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(order))]
    for thread, entered in zip(threads, inside, strict=True):
        thread.start()
        assert entered.wait(60)
    for number in order:
        leave[number].set()
        threads[number].join()
    assert reader.entries() == order


def test_a_stack_of_contexts(reader):
    with contextlib.ExitStack() as stack:
        for name in "abc":
            stack.enter_context(pyusdt.step(name))
    assert reader.names() == ["c", "b", "a"]
    assert reader.entries() == [2, 1, 0]


def test_an_exit_without_an_entry_is_no_step(reader):
    step = pyusdt.step("x")
    assert step.__exit__(None, None, None) is False
    step.__enter__()
    step.__exit__(None, None, None)
    step.__exit__(None, None, None)
    assert len(reader.steps) == 1


def test_a_step_that_began_unheard_is_told_when_it_ends():
    with pyusdt.step("long"):
        spin(2_000_000)
        with reading() as reader, pyusdt.step("inner"):
            pass
        assert reader.names() == ["inner"]
        context = reading()
        reader = context.__enter__()
    context.__exit__(None, None, None)
    assert reader.names() == ["long"]
    assert nanoseconds(reader.steps[0].elapsed) >= 2_000_000 * 0.98


# for


def test_each_pass_of_a_loop_is_a_step(reader):
    items = [object() for _ in range(5)]
    seen = []
    for item in pyusdt.steps(items, "item"):
        assert len(reader.steps) == len(seen)
        seen.append(item)
    assert all(a is b for a, b in zip(seen, items, strict=True))
    assert [s[::3] for s in reader.steps] == [("item", False)] * 5
    assert reader.entries() == [0, 1, 2, 3, 4]


def test_the_time_of_the_iterable_is_no_step(reader):
    def produce() -> Iterator[int]:
        for i in range(3):
            pyusdt.mark("asked")
            yield i
            pyusdt.mark("asked again")

    def produced() -> Iterator[int]:
        for i in produce():
            pyusdt.mark("produced")
            yield i

    for _ in pyusdt.steps(produced(), "body"):
        pass
    at = {name: [m.at for m in reader.marks if m.name == name] for name in ("asked", "produced")}
    for step, asked, done in zip(reader.steps, at["asked"], at["produced"], strict=True):
        assert asked <= done <= step.start
    for step, asked in zip(reader.steps, at["asked"][1:], strict=False):
        assert step.start + step.elapsed <= asked


def test_nothing_to_loop_over_is_no_step(reader):
    assert list(pyusdt.steps([], "none")) == []
    assert reader.steps == []


def passes() -> Iterator[int]:
    return pyusdt.steps(range(9), "pass")


def leave_by_break() -> None:
    for i in passes():
        if i == 2:
            break


def leave_by_return() -> int:
    for i in passes():
        if i == 2:
            return i
    raise AssertionError


def leave_by_exception() -> None:
    with contextlib.suppress(ValueError):
        for i in passes():
            if i == 2:
                raise ValueError


def leave_by_close() -> None:
    def body() -> Generator[int]:
        for i in passes():  # noqa: UP028  (it is this loop that is closed)
            yield i

    generator = body()
    assert [next(generator) for _ in range(3)] == [0, 1, 2]
    generator.close()


@pytest.mark.parametrize(
    ("leave", "failed"),
    [
        (leave_by_break, False),
        (leave_by_return, False),
        (leave_by_exception, True),
        (leave_by_close, False),
    ],
)
def test_leaving_the_loop_ends_the_step_at_once(reader, leave, failed):
    leave()
    assert [s.failed for s in reader.steps] == [False, False, failed]


def test_the_exception_of_the_body_is_the_same_afterwards(reader):
    error = KeyError("mine")

    def body() -> None:
        for _ in pyusdt.steps([1], "a\0b"):
            raise error

    with pytest.raises(KeyError) as caught:
        body()
    assert caught.value is error
    assert error.__context__ is None
    assert reader.names() == [r"a\x00b"]


def test_an_iterator_that_is_kept_ends_its_step_when_it_is_dropped(reader):
    kept = pyusdt.steps(range(3), "kept")
    for _ in kept:
        break
    assert reader.steps == []
    assert next(kept) == 1
    assert len(reader.steps) == 1
    del kept
    assert len(reader.steps) == 2


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), StopAsyncIteration()])
def test_what_the_iterable_raises_passes(reader, error):
    def raising() -> Iterator[int]:
        yield 1
        raise error

    with pytest.raises(type(error)) as caught:
        list(pyusdt.steps(raising(), "once"))
    assert caught.value is error
    assert [s[::3] for s in reader.steps] == [("once", False)]


def test_sequences_of_the_old_kind_are_iterable(reader):
    class Old:
        def __getitem__(self, i: int) -> int:
            return [10, 20][i]

    assert list(pyusdt.steps(Old(), "old")) == [10, 20]
    assert len(reader.steps) == 2


def test_an_iterator_in_a_cycle_is_collected(reader):
    class Looped:
        def __iter__(self) -> Looped:
            return self

        def __next__(self) -> int:
            return 1

    looped = Looped()
    looped.steps = steps = pyusdt.steps(looped, "cycle")
    next(steps)
    gone = weakref.ref(looped)
    del looped, steps
    gc.collect()
    assert gone() is None
    assert reader.names() == ["cycle"]


# async for


async def produce(n: int) -> AsyncIterator[int]:
    for i in range(n):
        await asyncio.sleep(0)
        yield i


def test_async_for(reader):
    async def main() -> list[int]:
        return [i async for i in pyusdt.steps(produce(4), "item")]

    assert asyncio.run(main()) == [0, 1, 2, 3]
    assert reader.names() == ["item"] * 4
    assert reader.entries() == [0, 1, 2, 3]


def test_leaving_async_for_ends_the_step_at_once(reader):
    async def main() -> None:
        items = produce(9)
        async for i in pyusdt.steps(items, "item"):
            if i == 2:
                break
        assert len(reader.steps) == 3
        with contextlib.suppress(ValueError):
            async for _ in pyusdt.steps(items, "item"):
                raise ValueError
        assert len(reader.steps) == 4
        await items.aclose()

    asyncio.run(main())
    assert len(reader.steps) == 4


def test_what_an_asynchronous_iterable_raises_passes(reader):
    async def raising() -> AsyncIterator[int]:
        yield 1
        raise ValueError("bad")

    async def main() -> None:
        async for _ in pyusdt.steps(raising(), "once"):
            pass

    with pytest.raises(ValueError, match="bad"):
        asyncio.run(main())
    assert reader.names() == ["once"]


# names and values


ran: list[str] = []


def trap(method: str) -> Callable[..., NoReturn]:
    def run(*_: object) -> NoReturn:
        ran.append(method)
        raise BaseException(f"user code: {method}")

    return run


def traps(*also: str) -> dict[str, Callable[..., NoReturn]]:
    """Methods that tell when they run."""
    names = "repr str eq hash bool len int index float trunc iter getitem getattr getattribute"
    return {name: trap(name) for name in (*(f"__{n}__" for n in names.split()), *also)}


HostileStr = type("HostileStr", (str,), traps("encode", "__format__", "__contains__"))
HostileInt = type("HostileInt", (int,), traps("bit_length", "to_bytes"))
HostileFloat = type("HostileFloat", (float,), traps())
Hostile = type("Hostile", (), traps("__class__"))


NAMES = {
    "plain": "plain",
    "": "",
    "naïve €𝄞": "naïve €𝄞",
    "a\0b": r"a\x00b",
    "\udc80": r"\udc80",
    "x" * 10_000: "x" * 1020 + "...",
    "€" * 10_000: "€" * 340 + "...",
    "é" * 300: "é" * 300,
}


@pytest.mark.parametrize(("name", "told"), NAMES.items(), ids=range(len(NAMES)))
def test_names(reader, name, told):
    pyusdt.mark(name)
    with pyusdt.step(name):
        pass
    list(pyusdt.steps([1], name))
    assert [m.name for m in reader.marks] == [told]
    assert reader.names() == [told] * 2


def test_the_name_may_be_of_a_subclass_whose_code_does_not_run(reader):
    name = HostileStr("hostile é")
    ran.clear()
    with watched("mark", "step__start", "step__done"):
        pyusdt.mark(name)
        with pyusdt.step(name) as step:
            pass
        list(pyusdt.steps([1], name))
    assert type(step.name) is str
    assert ran == []
    assert [m.name for m in reader.marks] == ["hostile é"]
    assert reader.names() == ["hostile é"] * 2


@pytest.mark.parametrize("kind", [HostileInt, HostileFloat, Hostile])
def test_the_code_of_a_value_does_not_run(reader, kind):
    value = kind()
    ran.clear()
    before = fired("mark")
    with watched("mark"):
        pyusdt.mark("x", value)
        pyusdt.mark("x", [value])
    assert ran == []
    assert fired("mark") == before + 2
    assert reader.marks[0].value is value
    reader.marks.clear()  # before a failing test shows them, and so runs their code


def test_the_reader_inside_gets_the_value_itself(reader):
    values = [3, 2.5, "text", HTTPStatus.OK, object()]
    for value in values:
        pyusdt.mark("x", value)
    pyusdt.mark(name="y", value=None)
    assert [m.value for m in reader.marks] == [*values, None]
    assert reader.marks[0].at < reader.marks[1].at


MISUSES = [
    (lambda: pyusdt.mark(), r"mark\(\) missing the argument 'name'"),
    (lambda: pyusdt.mark(3), r"mark\(\) needs a name that is a str, not int"),
    (lambda: pyusdt.mark("a", 1, 2), r"mark\(\) takes at most 2 arguments \(3 given\)"),
    (lambda: pyusdt.mark("a", name="b"), r"mark\(\) got multiple values for argument 'name'"),
    (lambda: pyusdt.mark("a", vlue=1), r"mark\(\) got an unexpected keyword argument 'vlue'"),
    (lambda: pyusdt.step(), r"step\(\) missing the argument 'name'"),
    (lambda: pyusdt.step(print), r"step\(\) needs a name that is a str, not builtin_function_or_m"),
    (lambda: pyusdt.steps([]), "name"),
    (lambda: pyusdt.steps([], b"x"), r"steps\(\) needs a name that is a str, not bytes"),
    (lambda: pyusdt.steps(3, "x"), "'int' object is not iterable"),
    (lambda: pyusdt.steps(produce(1), 3), r"steps\(\) needs a name that is a str, not int"),
    (lambda: pyusdt.step("x")(3), r"step\(\) decorates functions, not int objects"),
    (lambda: pyusdt.step("x")(int), r"step\(\) decorates functions, not the class int"),
]


@pytest.mark.parametrize(("misuse", "message"), MISUSES, ids=range(len(MISUSES)))
def test_misuse_is_a_type_error(reader, misuse, message):
    with pytest.raises(TypeError, match=message):
        misuse()
    assert reader.steps == []
    assert reader.marks == []


# probes


def test_probes_fire_only_while_watched():
    def everything() -> list[int]:
        before = [fired(p) for p in probes]
        pyusdt.mark("x", 1)
        with contextlib.suppress(ValueError), pyusdt.step("x"):
            raise ValueError
        leave_by_break()
        return [fired(p) - b for p, b in zip(probes, before, strict=True)]

    probes = ["mark", "step__start", "step__done"]
    assert everything() == [0, 0, 0]
    with watched("step__done"):
        assert everything() == [0, 0, 4]
    with watched(*probes):
        assert everything() == [1, 4, 4]
    assert everything() == [0, 0, 0]
