# SPDX-License-Identifier: Apache-2.0
"""The workloads for profilers: small programs of ours, and programs of pyperformance.

Those of pyperformance are imported from the package's data files, and run through their own
functions. Each workload is a function of its number of repetitions, and takes some 20 ms without a
profiler.
"""

import asyncio
import importlib.util
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

Body = Callable[[int], object]


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def recursive(times: int) -> None:
    for _ in range(times):
        fib(26)


class Account:
    """Methods that do little, one calling the other."""

    def __init__(self, balance: int) -> None:
        self.balance = balance

    def may_pay(self, amount: int) -> bool:
        return self.balance >= amount

    def pay(self, amount: int) -> int:
        if not self.may_pay(amount):
            self.balance += 1_000
        self.balance -= amount
        return self.interest()

    def interest(self) -> int:
        return self.balance * 3 // 100


def methods(times: int) -> None:
    account = Account(1_000)
    for _ in range(times):
        for amount in range(120_000):
            account.pay(amount & 63)


def countdown(depth: int) -> Iterator[int]:
    """Every value passes through all the generators above."""
    yield depth
    if depth:
        yield from countdown(depth - 1)


def nested(depth: int) -> Iterator[int]:
    yield depth
    if depth:
        for value in nested(depth - 1):  # noqa: UP028 - each level is resumed for each value
            yield value


def generators(times: int) -> None:
    for _ in range(times):
        for _ in range(300):
            sum(nested(60))
            sum(countdown(60))


async def ticks(n: int) -> AsyncIterator[int]:
    for i in range(n):
        await asyncio.sleep(0)
        yield i


async def consumer(n: int) -> None:
    async for _ in ticks(n):
        pass


async def tasks(n: int) -> None:
    await asyncio.gather(*(consumer(40) for _ in range(n)))


def coroutines(times: int) -> None:
    for _ in range(times):
        asyncio.run(tasks(300))


def refuse(n: int) -> int:
    if n < 0:
        raise ValueError(n)
    return refuse(n - 1)


def exceptions(times: int) -> None:
    for _ in range(times):
        for _ in range(20_000):
            try:
                refuse(3)
            except ValueError:
                pass


def lines(times: int) -> None:
    for _ in range(times):
        a, b = 0, 1
        for i in range(200_000):
            if i & 1:
                a += b
            else:
                b += a
            a &= 1023
            b &= 1023


def c_calls(times: int) -> None:
    items: list[int] = []
    for _ in range(times):
        for i in range(300_000):
            items.append(i)
            len(items)
        items.clear()


def integers(times: int) -> None:
    """Each is freed as the next one is there."""
    for _ in range(times):
        for i in range(1_000, 400_000):
            i + i


def integers_kept(times: int) -> None:
    for _ in range(times):
        [i + 1_000 for i in range(200_000)]


def richards(program: Any) -> Body:
    return program.Richards().run  # type: ignore[no-any-return]


def deltablue(program: Any) -> Body:
    return repeated(lambda: program.delta_blue(1_000))


def nbody(program: Any) -> Body:
    return lambda times: program.bench_nbody(times, "sun", 5_000)


def fannkuch(program: Any) -> Body:
    return repeated(lambda: program.fannkuch(8))


def floats(program: Any) -> Body:
    return repeated(lambda: program.benchmark(25_000))


def raytrace(program: Any) -> Body:
    return lambda times: program.bench_raytrace(times, 28, 28, None)


def hexiom(program: Any) -> Body:
    return lambda times: program.main(45 * times, 20)


def go(program: Any) -> Body:
    program.GAMES = 40
    return repeated(program.versus_cpu)


def nqueens(program: Any) -> Body:
    return repeated(lambda: program.bench_n_queens(7))


def trees(program: Any) -> Body:
    tree = program.tree(range(60_000))

    def body(times: int) -> None:
        for _ in range(times):
            for _ in tree:
                pass

    return body


def async_tree(program: Any) -> Body:
    program.NUM_RECURSE_LEVELS, program.NUM_RECURSE_BRANCHES = 5, 5
    return repeated(lambda: asyncio.run(program.NoneAsyncTree().run()))


def logs(program: Any) -> Body:
    stream = StringIO()
    logger = logging.getLogger("benchlogger")
    logger.propagate = False
    logger.addHandler(logging.StreamHandler(stream))
    logger.setLevel(logging.WARNING)
    return lambda times: program.bench_formatted_output(200 * times, logger, stream)


def pickled(program: Any) -> Body:
    sys.modules["_pickle"] = None  # type: ignore[assignment]
    sys.modules.pop("pickle", None)
    import pickle

    class Options:
        protocol = pickle.HIGHEST_PROTOCOL

    return lambda times: program.bench_pickle(3 * times, pickle, Options)


def repeated(once: Callable[[], object]) -> Body:
    def body(times: int) -> None:
        for _ in range(times):
            once()

    return body


OWN: dict[str, Body] = {
    "recursive function": recursive,
    "methods": methods,
    "generators": generators,
    "asyncio": coroutines,
    "exceptions": exceptions,
    "lines": lines,
    "C calls": c_calls,
}
# Only where it is asked who allocates.
ALLOCATING: dict[str, Body] = {
    "integers": integers,
    "200,000 integers kept": integers_kept,
}
# By name: the program's directory in pyperformance, and the function that makes a body.
PYPERFORMANCE: dict[str, tuple[str, Callable[[Any], Body]]] = {
    "richards": ("bm_richards", richards),
    "deltablue": ("bm_deltablue", deltablue),
    "nbody": ("bm_nbody", nbody),
    "fannkuch": ("bm_fannkuch", fannkuch),
    "float": ("bm_float", floats),
    "raytrace": ("bm_raytrace", raytrace),
    "hexiom": ("bm_hexiom", hexiom),
    "go": ("bm_go", go),
    "nqueens": ("bm_nqueens", nqueens),
    "tree of generators": ("bm_generators", trees),
    "async_tree": ("bm_async_tree", async_tree),
    "logging": ("bm_logging", logs),
    "pickle_pure_python": ("bm_pickle", pickled),
}
NAMES = (*OWN, *PYPERFORMANCE)


def load(name: str) -> tuple[Body, ModuleType]:
    """Return a workload, and the module with its functions."""
    own = OWN | ALLOCATING
    if name in own:
        return own[name], sys.modules[__name__]
    directory, make = PYPERFORMANCE[name]
    program = pyperformance(directory)
    return make(program), program


def pyperformance(directory: str) -> ModuleType:
    package = importlib.util.find_spec("pyperformance")
    assert package is not None, "pyperformance is not installed"
    assert package.origin is not None
    benchmarks = Path(package.origin).parent / "data-files" / "benchmarks"
    spec = importlib.util.spec_from_file_location(
        directory, benchmarks / directory / "run_benchmark.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[directory] = module
    spec.loader.exec_module(module)
    return module
