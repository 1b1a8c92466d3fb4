# SPDX-License-Identifier: Apache-2.0
"""Marks and steps for tracers, once for each line of input that asks for it."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from http import HTTPStatus

import pyusdt

MSEC = 1_000_000


class Odd:
    def __repr__(self) -> str:
        return "odd"


VALUES = [
    None, 0, 1, -7, True, False, 2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 10**30,
    2.5, -2.9, 1e18, 1e19, -1e19, float("nan"), float("inf"), float("-inf"),
    "text", "naïve €", "", b"bytes", (1, "two"), [Odd()], Odd(), HTTPStatus.OK,
]  # fmt: skip

NAMES = ["", "plain", "naïve €𝄞", "a\0b", "lone \udc80", "x" * 10_000, "€" * 10_000]


def values() -> None:
    for value in VALUES:
        pyusdt.mark("value", value)
    pyusdt.mark("value")


def names() -> None:
    for name in NAMES:
        pyusdt.mark(name)
        with pyusdt.step(name):
            pass


def spin(ns: int) -> None:
    end = time.perf_counter_ns() + ns
    while time.perf_counter_ns() < end:
        pass


def timed() -> None:
    """5 ms and a bit; tells the time as it is from within and from without."""
    outer = time.perf_counter_ns()
    with pyusdt.step("timed"):
        begin = time.perf_counter_ns()
        spin(5 * MSEC)
        inner = time.perf_counter_ns() - begin
    print("timed", inner, time.perf_counter_ns() - outer, flush=True)


@pyusdt.step("work")
def work(n: int) -> None:
    with pyusdt.step("outer"):
        for _ in pyusdt.steps(range(n), "pass"):
            pyusdt.mark("count", n)


@pyusdt.step("task")
async def task() -> None:
    with pyusdt.step("inner"):
        await asyncio.sleep(0)


async def tasks() -> None:
    await asyncio.gather(*(task() for _ in range(10)))


@pyusdt.step("fail")
def fail() -> None:
    for i in pyusdt.steps(range(9), "failing"):
        if i == 3:
            raise ValueError


def counts() -> None:
    threads = [threading.Thread(target=work, args=(100,)) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(tasks())
    try:
        fail()
    except ValueError:
        pass


def during() -> None:
    """A step that is going on when the tracer comes."""
    with pyusdt.step("during"):
        print("during", flush=True)
        sys.stdin.readline()


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        command = line.strip()
        globals()[command]()
        print("done", command, flush=True)


if __name__ == "__main__":
    main()
