# SPDX-License-Identifier: Apache-2.0
"""What the derived probes say of a program whose answers are known."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Iterator

import heard

PROBES = (
    "function__done",
    "code__new",
    "gc__begin",
    "gc__end",
    "mark",
    "step__start",
    "step__done",
)
gc.disable()
gc.collect()
heard.up(*PROBES)
import pyusdt


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def numbers() -> Iterator[int]:
    yield 1
    yield 2


def fail(n: int) -> None:
    if n:
        fail(n - 1)
    raise ValueError(n)


def work() -> None:
    fib(2)
    list(numbers())
    with contextlib.suppress(ValueError):
        fail(1)
    garbage: list[object] = []
    garbage.append(garbage)
    del garbage
    gc.collect()
    pyusdt.mark("größe", 2.9)
    with pyusdt.step("load"):
        pass


heard.hits()
work()
heard.down(*PROBES)
ours = [hit for hit in heard.hits() if __file__ in hit or not hit[0].startswith(("f", "c"))]
print(json.dumps([[field for field in hit if field != __file__] for hit in ours]))
