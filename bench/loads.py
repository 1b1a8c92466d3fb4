# SPDX-License-Identifier: Apache-2.0
"""What worker.py does in a round: loads by name, some with a number after it ("threads 16").

Each is a function of a size, with the number of its units of work (calls, lines, events).
"""

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from types import FunctionType


@dataclass(frozen=True)
class Load:
    run: Callable[[int], object]
    units: Callable[[int], int]


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def fib_calls(n: int) -> int:
    """Return the number of calls of fib(n)."""
    before, calls = 1, 1
    for _ in range(n - 1):
        before, calls = calls, before + calls + 1
    return calls


def leaf() -> None:
    pass


def calls(n: int) -> None:
    """n calls, and that of range()."""
    for _ in range(n):
        leaf()


def lines(n: int) -> None:
    """8n lines and two."""
    for _ in range(n):
        a = 1
        b = a
        c = b
        d = c
        e = d
        f = e
        a = f


def c_calls(n: int) -> None:
    """n calls of a C function and those that make the loop."""
    items = (1, 2, 3)
    for _ in range(n):
        len(items)


def values(n: int) -> Iterator[int]:
    """A start yields the first value, resumptions the others; one more resumption ends it."""
    for _ in repeat(None, n):
        yield 1


def yields(n: int) -> None:
    for _ in values(n):
        pass


def once() -> Iterator[int]:
    yield 1


def stops(n: int) -> None:
    """n generators, each run to its end by a `for`."""
    for _ in repeat(None, n):
        for _ in once():
            pass


def refuse() -> None:
    raise ValueError


def raises(n: int) -> None:
    for _ in repeat(None, n):
        try:
            refuse()
        except ValueError:
            pass


def c_raises(n: int) -> None:
    for _ in repeat(None, n):
        try:
            len(7)  # type: ignore[arg-type]
        except TypeError:
            pass


def caught(n: int) -> None:
    """Where it is raised."""
    for _ in repeat(None, n):
        try:
            raise ValueError
        except ValueError:
            pass


def raised_again(n: int) -> None:
    """Reraises at the end of a finally, and of the except around it: twice for each of n."""
    for _ in repeat(None, n):
        try:
            try:
                raise ValueError
            finally:
                pass
        except ValueError:
            pass


def listening() -> Iterator[None]:
    while True:
        try:
            yield
        except ValueError:
            pass


def throws(n: int) -> None:
    generator = listening()
    next(generator)
    error = ValueError()
    for _ in repeat(None, n):
        generator.throw(error)  # type: ignore[attr-defined]


def mixed(n: int) -> int:
    """64n times calls, arithmetic, items and a branch.

    CPython caches all of these numbers. The cost of a loop that allocates would depend on how full
    the allocator's pools are, and so on the imported modules.
    """
    total = 0
    table = [0] * 64
    for _ in repeat(None, n):
        i = 0
        while i < 64:
            total = (total + step(table, i)) & 127
            i += 1
    return total


def step(table: list[int], i: int) -> int:
    if table[i] < 100:
        table[i] += 1
    else:
        table[i] = 0
    return table[i]


def marks(n: int) -> None:
    from pyusdt import mark

    for i in repeat(7, n):
        mark("requests", i)


def steps(n: int) -> None:
    from pyusdt import step

    for _ in repeat(None, n):
        with step("request"):
            pass


def modules(number: int) -> Load:
    """Functions in as many modules, module_0 and up: some 300 ns of arithmetic each."""
    source = "def work(n):\n for _ in range(8):\n  n = (n * 3 + 1) & 127\n return n\n"
    found = []
    for i in range(number):
        namespace: dict[str, Callable[[int], int]] = {}
        exec(compile(source, f"module_{i}.py", "exec"), {"__name__": f"module_{i}"}, namespace)
        found.append(namespace["work"])

    def run(n: int) -> None:
        for _ in repeat(None, n):
            for work in found:
                work(1)

    return Load(run, lambda n: number * n)


def codes(number: int) -> Load:
    """So many functions with different names, called in turn."""
    code = leaf.__code__
    found = [
        FunctionType(code.replace(co_name=f"f{i}", co_qualname=f"f{i}", co_firstlineno=i + 1), {})
        for i in range(number)
    ]

    def run(n: int) -> None:
        for _ in repeat(None, n):
            for function in found:
                function()

    return Load(run, lambda n: number * n)


def depth(number: int) -> Load:
    """A recursion to this depth."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), number + 1_000))

    def down(left: int) -> None:
        if left:
            down(left - 1)

    def run(n: int) -> None:
        for _ in repeat(None, n):
            down(number - 1)

    return Load(run, lambda n: number * n)


def threads(number: int) -> Load:
    """So many threads that share the calls among them."""

    def run(n: int) -> None:
        workers = [threading.Thread(target=calls, args=(n,)) for _ in range(number)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return Load(run, lambda n: number * n)


def among(number: int) -> Load:
    """One thread of so many makes the calls; the others wait for work, as those of a pool do."""
    work = threading.Lock()
    work.acquire()  # for ever
    others: list[threading.Thread] = []

    def run(n: int) -> None:
        while len(others) < number - 1:
            others.append(threading.Thread(target=work.acquire, daemon=True))
            others[-1].start()
        calls(n)

    return Load(run, lambda n: n)


def returns(value: object) -> Load:
    """Calls that return this value."""

    def give() -> object:
        return value

    def run(n: int) -> None:
        for _ in repeat(None, n):
            give()

    return Load(run, lambda n: n)


def nested(number: int) -> object:
    """A dictionary of lists of tuples, so many of each."""
    return {f"key {i}": [(i, "text", None)] * number for i in range(number)}


def one_each(n: int) -> int:
    return n


LOADS: dict[str, Load] = {
    "fib": Load(fib, fib_calls),
    "calls": Load(calls, one_each),
    "lines": Load(lines, lambda n: 8 * n),
    "c_calls": Load(c_calls, one_each),
    "yields": Load(yields, one_each),
    "stops": Load(stops, one_each),
    "raises": Load(raises, one_each),
    "c_raises": Load(c_raises, one_each),
    "caught": Load(caught, one_each),
    "finally": Load(raised_again, lambda n: 2 * n),
    "throws": Load(throws, one_each),
    "mixed": Load(mixed, lambda n: 64 * n),
    "marks": Load(marks, one_each),
    "steps": Load(steps, one_each),
}
# The loads with a number.
MADE: dict[str, Callable[[int], Load]] = {
    "modules": modules,
    "codes": codes,
    "depth": depth,
    "threads": threads,
    "among": among,
    "int": lambda number: returns(number),
    "list": lambda number: returns(list(range(number))),
    "text": lambda number: returns("x" * number),
    "nested": lambda number: returns(nested(number)),
}


def find(name: str) -> Load:
    kind, _, number = name.partition(" ")
    return MADE[kind](int(number)) if number else LOADS[name]
