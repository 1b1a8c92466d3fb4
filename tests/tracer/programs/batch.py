# SPDX-License-Identifier: Apache-2.0
"""Does what its standard input says, a line at a time: calls, threads, children; with an oracle.

It imports nothing that would do something of its own between two commands.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from types import CodeType

# Registered first: this hook runs in a child before those of pyusdt.
os.register_at_fork(after_in_child=lambda: calls(30))

import pyusdt

EVENTS = sys.monitoring.events
TOOL = 5
KINDS = ("PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND")


def leaf() -> None:
    pass


def calls(n: int) -> None:
    for _ in range(n):
        leaf()


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def numbers(n: int) -> Iterator[int]:
    for i in range(n):
        try:
            yield i
        except ValueError:
            leaf()


def fail(n: int) -> None:
    if n == 0:
        raise KeyError(n)
    fail(n - 1)


def mixed() -> None:
    for n in range(12):
        fib(n % 7)
        generator = numbers(n + 1)
        next(generator)
        if n:
            generator.throw(ValueError())
        list(generator)
        try:
            fail(n)
        except KeyError:
            leaf()


def watched_by_the_oracle() -> list[str]:
    """What mixed() enters and leaves, as a tool of our own in sys.monitoring has it."""
    seen: list[str] = []

    def noter(kind: str):  # type: ignore[no-untyped-def]
        def note(code: CodeType, *_: object) -> None:
            seen.append(f"{KINDS.index(kind)} {code.co_qualname} {code.co_firstlineno}")

        return note

    sys.monitoring.use_tool_id(TOOL, "oracle")
    for kind in KINDS:
        sys.monitoring.register_callback(TOOL, getattr(EVENTS, kind), noter(kind))
    sys.monitoring.set_events(TOOL, sum(getattr(EVENTS, kind) for kind in KINDS))
    mixed()
    sys.monitoring.set_events(TOOL, 0)
    sys.monitoring.free_tool_id(TOOL)
    return seen


def in_threads(n_threads: int, n: int) -> None:
    threads = [threading.Thread(target=calls, args=[n]) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_child(n: int) -> None:
    """The child goes on to the end of the program; the parent waits for it."""
    calls(n)
    if child := os.fork():
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    else:
        calls(n + 1)
        sys.exit()


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        command, *rest = line.split()
        numbers = [int(word) for word in rest]
        if command == "calls":
            calls(*numbers)
        elif command == "mixed":
            before = time.monotonic_ns()
            expected = watched_by_the_oracle()
            print("times", before, time.monotonic_ns(), flush=True)
            for text in expected:
                print("expected", text)
        elif command == "threads":
            in_threads(*numbers)
        elif command == "fork":
            in_child(*numbers)
        print(f"done {command}", flush=True)


main()
