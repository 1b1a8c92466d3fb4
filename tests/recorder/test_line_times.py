# SPDX-License-Identifier: Apache-2.0
"""Times of lines, with what they called and without: recursion, exceptions, suspension."""

from __future__ import annotations

import asyncio
import time

import pytest

import pyusdt
from pyusdt.recording import Recording

from .by_line import hits

MS = 1_000_000


def spin(milliseconds: float) -> None:
    end = time.perf_counter_ns() + milliseconds * MS
    while time.perf_counter_ns() < end:
        pass


def spends() -> None:
    sum(range(300_000))
    spin(5)
    sum(range(3))


def rows(rec: pyusdt.record, name: str) -> dict[int, tuple[int, int]]:
    """Of a function: the line's time with callees and its own, by line from its first one on."""
    return {
        row.line - row.record.line: (row.total_ns, row.self_ns)
        for row in rec.recording.line_rows
        if row.record.name == name
    }


def test_times_with_callees_and_own() -> None:
    with pyusdt.record(lines=__name__) as rec:
        spends()
    lines = rows(rec, "spends")
    functions = {f.record.name: f for f in rec.functions}
    # The C function is not recorded, so its time is the line's own.
    assert lines[1][0] == lines[1][1] > 20 * lines[3][1]
    # The line's own is what its callee has not.
    assert lines[2][0] >= functions["spin"].total_ns
    assert lines[2][0] - lines[2][1] == pytest.approx(functions["spin"].total_ns, abs=2)
    # The first line begins as the function does, and the last one ends with it: but for fractions
    # of nanoseconds they make up what the function took.
    for name in ("spends", "spin"):
        total, own = map(sum, zip(*rows(rec, name).values(), strict=True))
        whole, fractions = functions[name], len(rows(rec, name))
        assert total == pytest.approx(whole.total_ns, abs=fractions)
        assert own == pytest.approx(whole.self_ns, abs=fractions)


def test_a_c_function_that_is_recorded_is_no_own_time_of_the_line() -> None:
    with pyusdt.record(lines=__name__, c_calls=True) as rec:
        spends()
    total, own = rows(rec, "spends")[1]
    assert own * 2 < total


def descends(n: int) -> None:
    spin(1)
    if n:
        descends(n - 1)
    spin(1)


def test_a_recursion_counts_once() -> None:
    with pyusdt.record(lines=f"{__name__}:descends") as rec:
        descends(4)
    lines = rows(rec, "descends")
    (function,) = [f for f in rec.functions if f.record.name == "descends"]
    # The outermost call's line has the four below it, not the sums of theirs.
    assert 8 * MS <= lines[3][0] <= function.total_ns
    assert 5 * MS <= lines[1][0] <= function.total_ns
    assert sum(own for _, own in lines.values()) <= function.self_ns


def suspends(n: int):
    for _ in range(n):
        yield n
    return n


async def waits() -> None:
    await asyncio.sleep(0.3)


def test_time_suspended_is_no_line_s_time() -> None:
    with pyusdt.record(lines=__name__) as rec:
        for _ in suspends(3):
            spin(100)
        asyncio.run(waits())
    assert sum(total for total, _ in rows(rec, "suspends").values()) < 150 * MS
    assert sum(total for total, _ in rows(rec, "waits").values()) < 150 * MS
    assert hits(rec.recording, "suspends") == {1: 4, 2: 3, 3: 1}


def fails() -> None:
    try:
        spin(30)
        raise LookupError
    except LookupError:
        spin(30)
    finally:
        spin(30)


def test_times_around_exceptions() -> None:
    with pyusdt.record(lines=f"{__name__}:fails") as rec:
        fails()
    lines = rows(rec, "fails")
    assert {line for line, (total, _) in lines.items() if total >= 30 * MS} == {2, 5, 7}


def test_a_running_line_s_time_is_in_what_is_read_meanwhile() -> None:
    with pyusdt.record(lines=__name__) as rec:

        def reads() -> Recording:
            spin(5)
            return rec.recording

        read = reads()
    (row,) = [r for r in read.line_rows if r.record.name == "reads" and r.line - r.record.line == 1]
    assert row.total_ns >= 5 * MS
