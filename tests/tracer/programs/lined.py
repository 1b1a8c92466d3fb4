# SPDX-License-Identifier: Apache-2.0
"""Lines that make system calls, as often as `#:` says, if it is recorded with the lines of in_*().

What happens in a function without lines is its caller's: `#: 3 asks` is three calls below asks().
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator


def asks(n: int) -> None:
    for _ in range(n):
        os.getppid()


def in_loop() -> None:
    os.getppid()  #: 1
    for _ in range(23):
        os.getppid()  #: 23
    asks(7)  #: 7 asks
    os.getppid(), asks(2), os.getppid()  #: 2; 2 asks
    print(
        os.getppid() * 0,  #: 1
        "looped",
        flush=not os.getppid(),  #: 1
    )


def in_generator() -> Iterator[int]:
    yield os.getppid()  #: 3
    # Where it goes on no line begins.
    yield (yield 0) or os.getppid()  #: 3
    os.getppid()  #: 1


def in_turns() -> None:
    for _ in zip(in_generator(), in_generator(), in_generator()):
        os.getppid()  #: 3


def in_handler() -> None:
    try:
        in_failing(3)
    except ValueError:
        os.getppid()  #: 1
    finally:
        os.getppid()  #: 1


def in_failing(n: int) -> None:
    try:
        os.getppid()  #: 4
        if n == 0:
            raise ValueError
        in_failing(n - 1)
    finally:
        os.getppid()  #: 4


def in_recursion(n: int) -> None:
    os.getppid()  #: 6
    if n:
        in_recursion(n - 1)
        os.getppid()  #: 5


def in_comprehension() -> list[int]:
    return [
        os.getppid()  #: 5
        for n in range(7)
        if n or os.getppid() == 0  #: 1
        if n != 3
    ]


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        if line == "all\n":
            in_loop()
            in_turns()
            in_handler()
            in_recursion(5)
            in_comprehension()
        else:
            thread = threading.Thread(target=in_recursion, args=(5,))
            thread.start()
            thread.join()
        print("done", flush=True)


main()
