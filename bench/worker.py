# SPDX-License-Identifier: Apache-2.0
"""The Python program that is measured: worker.py MODULE LOAD SIZE

Imports MODULE ("-": none), says "ready", and then does for every byte on stdin what it asks for:

    w   wait until some tool has monitoring events on
    r   run the load once
    u   run it untimed, since the digits of a time take instructions of their own
    x   exit at once, without the end of an interpreter, where threads meet by chance

Each is answered by a line on stdout: the processor time that the load took in ns, and how many
units of work it is. The time is that of the whole process, of its threads and of the kernel on its
behalf: other programs on the machine add nothing to it. The loop below calls no Python function
but the load, so that exactly the load's are counted.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain, cycle, repeat


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def fib_calls(n: int) -> int:
    """How many calls fib(n) is."""
    before, calls = 1, 1
    for _ in range(n - 1):
        before, calls = calls, before + calls + 1
    return calls


def leaf() -> None:
    pass


def calls(n: int) -> None:
    """n calls and the one of range()."""
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


def mixed(n: int) -> int:
    """64n times calls, arithmetic, items and a branch.

    All numbers are ones that CPython keeps: what a loop costs that allocates depends on how full
    the allocator's pools are, and that on what has been imported.
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


def make_modules() -> list[Callable[[int], int]]:
    """A function in each of 200 modules, module_0 to module_199: some 300 ns of arithmetic."""
    source = "def work(n):\n for _ in range(8):\n  n = (n * 3 + 1) & 127\n return n\n"
    found = []
    for i in range(200):
        namespace: dict[str, Callable[[int], int]] = {}
        exec(compile(source, f"module_{i}.py", "exec"), {"__name__": f"module_{i}"}, namespace)
        found.append(namespace["work"])
    return found


MODULES = make_modules()


def modules(n: int) -> None:
    """200n calls, each in the next module."""
    for _ in repeat(None, n):
        for work in MODULES:
            work(1)


# What a load does and, from its size, in how many units of work: calls or events.
LOADS: dict[str, tuple[Callable[[int], object], Callable[[int], int]]] = {
    "fib": (fib, fib_calls),
    "calls": (calls, lambda n: n),
    "lines": (lines, lambda n: 8 * n),
    "mixed": (mixed, lambda n: 64 * n),
    "modules": (modules, lambda n: 200 * n),
}


def events_on() -> Iterator[object]:
    """An iterator whose next() returns when events are on. All C; sleep() lets go of the GIL."""
    events = map(sys.monitoring.get_events, cycle(range(6)))
    sleeps = map(time.sleep, repeat(0.002))
    return filter(None, chain.from_iterable(zip(sleeps, events, strict=False)))


def serve(load: Callable[[int], object], size: int, units: int) -> None:
    clock, read, write, on = time.process_time_ns, os.read, os.write, events_on()
    while request := read(0, 1):
        begin = end = 0
        if request == b"r":
            begin = clock()
            load(size)
            end = clock()
        elif request == b"u":
            load(size)
        elif request == b"w":
            next(on)
        else:
            os._exit(0)
        write(1, b"%d %d\n" % (end - begin, units))


def main() -> None:
    module, name, size = sys.argv[1:]
    if module != "-":
        __import__(module)
    load, units = LOADS[name]
    load(1)
    os.write(1, b"ready\n")
    serve(load, int(size), units(int(size)))


if __name__ == "__main__":
    main()
