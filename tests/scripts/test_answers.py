# SPDX-License-Identifier: Apache-2.0
"""The scripts that start from probes: each one's answer, on a program whose answer is known."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from harness import ROOT, Program, Tracer, maps
from scripts.trace import (
    CALLED,
    PROGRAM,
    Rows,
    Trace,
    answer,
    counts,
    result_of,
    tables,
    without_ids,
)

SOURCE = PROGRAM.read_text().splitlines()


def answer_of(tool: str, *parameters: str, does: str) -> pytest.MarkDecorator:
    """The test gets what a tool prints of the program that does this, one after another."""
    return result_of(answer, tool, *parameters, does=tuple(does.split()))


def line_of(text: str) -> int:
    return SOURCE.index(text) + 1


def histogram(row: dict[str, Any]) -> dict[int, int]:
    """A histogram's counts by the lower bounds of its bars, in microseconds."""
    return {bar["from_ns"] // 1000: bar["count"] for bar in row["histogram"]}


def by_function(rows: Rows) -> dict[str, dict[str, Any]]:
    return {row["function"]["qualname"]: row for row in rows}


@answer_of("pycalls", "__main__", "-f", "json", does="calls")
def test_pycalls_counts_calls_by_function(result: str) -> None:
    assert counts(tables(result)["pycalls"], "calls") == CALLED


@answer_of("pycalls", "Shop.s", "-f", "json", does="calls")
def test_pycalls_shows_the_part_that_is_asked_for(result: str) -> None:
    assert counts(tables(result)["pycalls"], "calls") == {("__main__", "Shop.sell"): 7}


def by_bpftrace_itself() -> dict[str, int]:
    """The way without `pyusdt trace`."""
    with Program("-m", "pyusdt", PROGRAM, "waits", "calls", "waits") as program:
        program.expect("^ready")
        library = f"/proc/{program.pid}/root{(ROOT / 'libpyusdt.so').resolve()}"
        script = ROOT / "scripts/pycalls.bt"
        with Tracer(script, program.pid, parameters=[library, "work"]) as tracer:
            program.expect_on("PY_START")
            program.send("")
            program.expect("^ready")
            return without_ids(maps(tracer.finish()))


@result_of(by_bpftrace_itself)
def test_pycalls_of_a_process_that_runs(result: dict[str, int]) -> None:
    assert result == {"calls[__main__, work]": 23}


@answer_of("pylat", "__main__", "-f", "json", does="slowly")
def test_pylat_shows_where_the_time_goes(result: str) -> None:
    rows = by_function(tables(result)["running"])
    slow = histogram(rows["slow"])
    assert sum(slow.values()) == 5
    assert min(bound for bound, count in slow.items() if count) >= 16 * 1024
    work = histogram(rows["work"])
    assert sum(work.values()) == 23
    assert work[0] > 0
    slowly = histogram(rows["slowly"])
    assert min(bound for bound, count in slowly.items() if count) >= 64 * 1024
    assert [*rows][:3] == ["<module>", "slowly", "slow"]
    assert [rows[name]["calls"] for name in ("slowly", "slow", "work")] == [1, 5, 23]


@answer_of("pylat", "__main__", "-f", "json", does="loop")
def test_pylat_shows_the_latency_of_what_was_suspended(result: str) -> None:
    found = tables(result)
    running, latency = by_function(found["running"]), by_function(found["latency"])
    assert latency["blocker"]["ends"] == 1
    assert latency["blocker"]["time_ns"] > 3 * 50_000_000
    assert latency["healthy"]["ends"] == 100
    assert latency["healthy"]["time_ns"] > 100 * 20 * 10_000_000
    assert running["healthy"]["calls"] == 100 * 21
    assert running["healthy"]["time_ns"] < latency["healthy"]["time_ns"] / 10
    assert "crunch" in running
    assert "crunch" not in latency


@answer_of("pyoffcpu", "-f", "json", does="locks")
def test_pyoffcpu_shows_who_held_the_lock_that_others_waited_for(result: str) -> None:
    rows = tables(result)["locks: who released them < who had waited"]
    most = rows[0]  # others may have held the GIL for a moment
    assert (most["function"]["qualname"], most["callers"][0]["qualname"]) == ("hoards", "needs")
    assert most["waited_ns"] > 5 * 30_000_000


@answer_of("pyslower", "15", "__main__", does="slowly")
def test_pyslower_prints_the_call_that_is_slow_and_not_its_callers(result: str) -> None:
    found = re.findall(r"^[\d:]{8} .* +\d+  __main__:\d+ (\S+)$", result, re.MULTILINE)
    assert [name for name in found if name in ("slow", "slowly", "<module>")] == ["slow"] * 5
    assert re.search("^pyusdt: [2-9] lines left out, callers .*: --all$", result, re.MULTILINE)


@answer_of("pyslower", "15", "__main__", "--all", does="slowly")
def test_pyslower_prints_the_slow_calls(result: str) -> None:
    found = re.findall(
        r"^\d\d:\d\d:\d\d +\d+ +(\d+)\.\d{3} +(\d+)\+? +__main__:(\d+) (\S+)$", result, re.M
    )
    # Another call is as slow where the machine lets it wait.
    found = [row for row in found if row[3] in ("slow", "slowly", "<module>")]
    names = [name for *_, name in found]
    assert names == ["slow"] * 5 + ["slowly", "<module>"]
    milliseconds, depths, lines = ([int(row[i]) for row in found] for i in range(3))
    assert all(20 <= value < 500 for value in milliseconds[:5])
    assert milliseconds[5] >= 100
    assert [depth - depths[6] for depth in depths] == [2] * 5 + [1, 0]
    assert lines[:6] == [line_of("def slow() -> None:")] * 5 + [line_of("def slowly() -> None:")]


@answer_of("pyslower", "2", "brisk", does="briskly")
def test_pyslower_hears_of_calls_below_the_default(result: str) -> None:
    assert len(re.findall(r" __main__:\d+ brisk$", result, re.MULTILINE)) == 23


@answer_of("pyflow", "0", "__main__", does="stays flow")
def test_pyflow_draws_calls_and_returns(result: str) -> None:
    drawn = [row[18:] for row in result.splitlines() if re.match(r"^\d+ ", row)]
    start = next(i for i, row in enumerate(drawn) if row.endswith(" flow"))

    def at(name: str) -> str:
        (line,) = [i for i, text in enumerate(SOURCE, 1) if text.startswith(f"def {name}(")]
        return f"-> __main__:{line} {name}"

    yields = [row for i in range(5) for row in (f"    {at('numbers')}", f"    <- numbers = {i}")]
    assert drawn[start:] == [
        f"  {at('flow')}",
        f"    {at('fact')}",
        f"      {at('fact')}",
        f"        {at('fact')}",
        "        <- fact = 1",
        "      <- fact = 1",
        "    <- fact = 2",
        *yields,
        f"    {at('numbers')}",
        "    <- numbers = None",
        f"    {at('fail')}",
        "    <- fail raises ValueError: so",
        "  <- flow = None",
        "<- <module> = None",
    ]


@answer_of("pylines", "__main__", "-f", "json", does="calls")
def test_pylines_finds_the_hottest_line(result: str) -> None:
    found = counts(tables(result)["pylines"], "runs", "line")
    body = line_of("        work()")
    assert found["__main__", "calls", body] == 23
    assert found["__main__", "calls", body - 1] == 24
    assert next(iter(found)) == ("__main__", "calls", body - 1)
    assert {module for module, *_ in found} == {"__main__"}


@answer_of("pyexc", "-f", "json", does="exceptions")
def test_pyexc_finds_what_is_raised_and_what_is_swallowed(result: str) -> None:
    found = tables(result)
    fail = line_of("    raise ValueError(text)")
    other = line_of('        raise KeyError("other") from e')
    attribute = line_of("        raise AttributeError(name)")
    raised = counts(found["raised"], "raised", "type", "line")
    assert {key: n for key, n in raised.items() if key[0] == "__main__"} == {
        ("__main__", "fail", "ValueError", fail): 23 + 3 + 5,
        ("__main__", "translates", "KeyError", other): 5,
        ("__main__", "Attributes.__getattr__", "AttributeError", attribute): 7,
    }
    caught = counts(found["caught, and not raised again"], "caught", "type")
    assert {key: n for key, n in caught.items() if key[0] == "__main__"} == {
        ("__main__", "swallows", "ValueError"): 23,
        ("__main__", "translates", "ValueError"): 5,
        ("__main__", "exceptions", "ValueError"): 3,
        ("__main__", "exceptions", "KeyError"): 5,
    }
    texts = counts(found["raised"], "text", "line")
    assert texts["__main__", "translates", other] == "KeyError: other"


@answer_of("pygc", "-f", "json", does="garbage")
def test_pygc_times_each_pause(result: str) -> None:
    row = {row["generation"]: row for row in tables(result)["pygc"]}[2]
    assert row["pauses"] == 8
    assert row["longest_ns"] >= row["time_ns"] / 8 > 0
    assert sum(histogram(row).values()) == 8
    # Node and, before 3.13, the dict of its attributes.
    assert row["collected"] >= 23


@answer_of("pyasync", "40", does="loop")
def test_pyasync_names_the_coroutine_that_blocks_the_loop(result: str) -> None:
    blocked = re.findall(
        r"^[\d:]{8} +\d+ +(\d+)\.\d{3} (\S+) in (\S+) (\S+)$", result, re.MULTILINE
    )
    ours = [row for row in blocked if row[1] == "blocker"]
    assert [row[2:] for row in ours] == [
        (f"__main__:{line_of('def crunch() -> None:')}", "crunch")
    ] * 3
    assert all(50 <= int(row[0]) < 500 for row in ours)
    # Another one blocks it where the machine lets it wait in the middle, and not time and again.
    assert Counter(row[1] for row in blocked).most_common(1) == [("blocker", 3)]


CALLS = 4 + 1 + 2 * (1 + 499 + 3 * 11)  # 4: <module>, and the classes' bodies
RAISED = 2 * 11


def seconds_of_pystat() -> list[int]:
    """The calls, exceptions and threads of all seconds."""
    with Trace("pystat", "--", PROGRAM, "busy", PYUSDT_ONLY="__main__") as trace:
        seen = [0, 0, 0]
        while seen[0] < CALLS or seen[1] < RAISED:  # a second may end among them
            row = trace.expect(r"^[\d:]{8} +(\d+) +(\d+) +\d+ +\d+\.\d{3} +(\d+)$")
            seen = [before + int(now) for before, now in zip(seen, row.groups(), strict=True)]
        trace.send("")
        assert trace.wait() == 0
        return seen


@result_of(seconds_of_pystat)
def test_pystat_tells_each_second(result: list[int]) -> None:
    assert result[:2] == [CALLS, RAISED]
    assert result[2] >= 2


@answer_of("pymarks", "-f", "json", does="marks")
def test_pymarks_times_steps_and_counts_marks(result: str) -> None:
    steps, marks = tables(result).values()
    rows = {row["step"]: row for row in steps}
    assert sum(histogram(rows["parse"]).values()) == rows["parse"]["steps"] == 23
    store = histogram(rows["store"])
    assert sum(store.values()) == rows["store"]["steps"] == 5
    assert min(bound for bound, count in store.items() if count) >= 16 * 1024
    assert [(row["mark"], row["marks"]) for row in marks] == [("refused", 7)]
