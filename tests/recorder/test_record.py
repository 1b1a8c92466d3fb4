# SPDX-License-Identifier: Apache-2.0
"""`pyusdt.record` as a block: what it counts and times, nested and again, and what it refuses."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import DEADLINE, ROOT

import pyusdt
from pyusdt.errors import UserError

from .recorded import counts, leaf, work

MS = 1_000_000


def test_block():
    with pyusdt.record() as rec:
        work()
    leaf()
    assert counts(rec) == {"work": 1, "leaf": 3}
    assert rec.functions[0].self_ns >= rec.functions[-1].self_ns
    assert [child.function for child in rec.tree.children] == [
        child.function for child in rec.threads[0].root.children
    ]
    assert [thread.name for thread in rec.threads] == ["MainThread"]
    assert rec.losses == {}
    assert rec.steps == []


def test_it_can_be_read_while_it_runs():
    with pyusdt.record() as rec:
        work()
        assert counts(rec) == {"work": 1, "leaf": 3}
        work()
    assert counts(rec) == {"work": 2, "leaf": 6}


def test_nothing_was_recorded_yet():
    assert pyusdt.record().functions == []


def test_shown_in_three_lines(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m.pyusdt"
    rec = pyusdt.record(path, only=leaf.__module__)
    assert repr(rec).startswith(f"<pyusdt.record: {tmp_path}/a\\x1b[31m.pyusdt, not entered yet>\n")
    with rec:
        assert ", recording>\n" in repr(rec)
        work()
    figures = "\n  4 calls, 2 functions, 1 thread; lost: nothing\n  most own time: "
    for shown, head in (repr(rec), ", ended>"), (repr(pyusdt.load(path)), "pyusdt>"):
        assert head + figures in shown
        assert re.search(r":(work|leaf), \d+\.\d% of [\d.]+ ms$", shown)
        assert shown.isascii()
        assert shown.count("\n") == 2


def test_times():
    def nap() -> None:
        time.sleep(0.02)

    def outer() -> None:
        nap()
        nap()

    begin = time.perf_counter_ns()
    with pyusdt.record() as rec:
        outer()
    total = time.perf_counter_ns() - begin
    functions = {f.record.name: f for f in rec.functions}
    assert 40 * MS <= functions["nap"].total_ns <= functions["outer"].total_ns <= total
    assert functions["nap"].self_ns == functions["nap"].total_ns
    assert functions["outer"].self_ns == pytest.approx(
        functions["outer"].total_ns - functions["nap"].total_ns, abs=1000
    )
    assert 20 * MS <= functions["nap"].min_ns <= functions["nap"].p50_ns
    assert functions["outer"].p50_ns == functions["outer"].p99_ns == functions["outer"].total_ns


def test_percentiles_are_those_of_the_calls():
    def nap(milliseconds: int) -> None:
        time.sleep(milliseconds / 1000)

    took = []
    with pyusdt.record() as rec:
        for milliseconds in [1] * 18 + [30] * 2:
            begin = time.perf_counter_ns()
            nap(milliseconds)
            took.append(time.perf_counter_ns() - begin)
    took.sort()
    (function,) = [f for f in rec.functions if f.record.name == "nap"]
    assert sum(function.histogram.values()) == 20
    assert 1 * MS <= function.min_ns <= function.percentile(0.5) <= took[9] * 1.015
    assert 30 * MS <= function.percentile(0.99) <= function.max_ns <= took[19]


def test_time_suspended_is_not_time_spent():
    def generator():
        yield 1
        yield 2

    async def sleeper() -> None:
        await asyncio.sleep(0.05)

    with pyusdt.record() as rec:
        for _ in generator():
            time.sleep(0.03)
        asyncio.run(sleeper())
    functions = {f.record.name: f for f in rec.functions}
    assert functions["generator"].total_ns < 10 * MS
    assert functions["generator"].resumes == 2
    assert functions["sleeper"].total_ns < 20 * MS
    assert functions["sleeper"].resumes == 1


def test_in_the_middle_of_a_deep_stack():
    def dive(n: int) -> pyusdt.record:
        if n:
            rec = dive(n - 1)
            if n == 150:
                end(rec)
            return rec
        return begin()

    def begin() -> pyusdt.record:
        return pyusdt.record().__enter__()

    def end(rec: pyusdt.record) -> None:
        work()
        rec.__exit__(None, None, None)

    rec = dive(300)
    (function,) = [f for f in rec.functions if f.record.name == "dive"]
    assert function.calls == 0  # they were called before
    assert function.total_ns > 0
    assert counts(rec)["leaf"] == 3
    (thread,) = rec.threads
    total = sum(child.elapsed_ns for child in thread.root.children)
    assert total == pytest.approx(thread.elapsed_ns, rel=0.01)


def test_nested_blocks_have_each_their_own_time():
    with pyusdt.record() as outer:
        work(1)
        with pyusdt.record() as inner:
            work(10)
        work(100)
    assert counts(inner) == {"work": 1, "leaf": 10}
    assert counts(outer) == {"work": 3, "leaf": 111}
    functions = {f.record.name: f for f in inner.functions}
    assert functions["work"].total_ns <= inner.threads[0].elapsed_ns <= outer.threads[0].elapsed_ns


def test_overlapping():
    first, second = pyusdt.record(), pyusdt.record()
    first.__enter__()
    work(1)
    second.__enter__()
    work(10)
    first.__exit__(None, None, None)
    work(100)
    second.__exit__(None, None, None)
    assert counts(first)["leaf"] == 11
    assert counts(second)["leaf"] == 110


def test_the_same_object_again_adds_up():
    rec = pyusdt.record()
    for n in (1, 10):
        with rec:
            work(n)
        work(1000)
    with rec, rec:
        work(100)
    assert counts(rec) == {"work": 3, "leaf": 111}


def test_recursion_of_a_decorated_function():
    rec = pyusdt.record()

    @rec
    def down(n: int) -> None:
        leaf()
        if n:
            down(n - 1)

    down(20)
    assert counts(rec)["leaf"] == 21


SHORT_ONES = Path(__file__).parent / "programs/short_ones.py"


def test_many_short_ones_while_the_watcher_looks_all_the_time():
    """It must not take for off what was off when it began to look."""
    environment = {**os.environ, "PYUSDT_CHECK_MSEC": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, SHORT_ONES], env=environment, timeout=DEADLINE)
    assert done.returncode == 0


def test_exceptions_pass():
    rec = pyusdt.record()

    def fails() -> None:
        with rec:
            work()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert counts(rec) == {"work": 1, "leaf": 3}


def test_no_tool_id_is_free():
    monitoring = sys.monitoring
    for tool in (2, 3, 4):
        monitoring.use_tool_id(tool, "test")
    try:
        with pytest.raises(UserError, match=r"^cannot record: other tools hold the ids 2 to 4"):
            pyusdt.record().__enter__()
    finally:
        for tool in (2, 3, 4):
            monitoring.free_tool_id(tool)
    with pyusdt.record() as rec:
        work()
    assert counts(rec)["leaf"] == 3
