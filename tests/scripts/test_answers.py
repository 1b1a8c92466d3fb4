# SPDX-License-Identifier: Apache-2.0
"""The scripts that start from probes: each one's answer, on a program whose answer is known."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from harness import ROOT, Program, Tracer, maps
from scripts.trace import PROGRAM, Trace, answer, result_of

SOURCE = PROGRAM.read_text().splitlines()


def answer_of(tool: str, *parameters: str, does: str) -> pytest.MarkDecorator:
    """The test gets what a tool prints of the program that does this, one after another."""
    return result_of(answer, tool, *parameters, does=tuple(does.split()))


def line_of(text: str) -> int:
    return SOURCE.index(text) + 1


def histogram(text: str, key: str) -> dict[int, int]:
    """A histogram's counts by the lower bound of its rows."""
    units = {"": 1, "K": 1024, "M": 1024**2}
    rows = text.partition(f"@us[{key}]:")[2].partition("\n@")[0]
    found = re.findall(r"^\[(\d+)([KM]?)[\],].* (\d+) \|", rows, re.MULTILINE)
    return {int(number) * units[unit]: int(count) for number, unit, count in found}


@answer_of("pycalls", "__main__", does="calls")
def test_pycalls_counts_calls_by_function(result: str) -> None:
    found = maps(result)
    assert found == {
        "calls[__main__, <module>]": 1,
        "calls[__main__, Shop]": 1,
        "calls[__main__, Attributes]": 1,
        "calls[__main__, Node]": 1,
        "calls[__main__, calls]": 1,
        "calls[__main__, work]": 23,
        "calls[__main__, Shop.sell]": 7,
        "calls[__main__, numbers]": 1,
    }


@answer_of("pycalls", "Shop.s", does="calls")
def test_pycalls_shows_the_part_that_is_asked_for(result: str) -> None:
    found = maps(result)
    assert found == {"calls[__main__, Shop.sell]": 7}


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
            return maps(tracer.finish())


@result_of(by_bpftrace_itself)
def test_pycalls_of_a_process_that_runs(result: dict[str, int]) -> None:
    assert result == {"calls[__main__, work]": 23}


@answer_of("pylat", "__main__", does="slowly")
def test_pylat_shows_where_the_time_goes(result: str) -> None:
    slow = histogram(result, "__main__, slow")
    assert sum(slow.values()) == 5
    assert min(bound for bound, count in slow.items() if count) >= 16 * 1024
    work = histogram(result, "__main__, work")
    assert sum(work.values()) == 23
    assert work[0] > 0
    slowly = histogram(result, "__main__, slowly")
    assert min(bound for bound, count in slowly.items() if count) >= 64 * 1024


@answer_of("pyslower", "15", "__main__", does="slowly")
def test_pyslower_prints_the_slow_calls(result: str) -> None:
    found = re.findall(
        r"^\d\d:\d\d:\d\d +\d+ +(\d+)\.\d{3} +(\d+) __main__:(\d+) (\S+)$", result, re.M
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


@answer_of("pylines", "__main__", does="calls")
def test_pylines_finds_the_hottest_line(result: str) -> None:
    found = maps(result)
    body = line_of("        work()")
    assert found[f"runs[__main__, calls, {body}]"] == 23
    assert found[f"runs[__main__, calls, {body - 1}]"] == 24
    assert max(found, key=lambda key: found[key]) == f"runs[__main__, calls, {body - 1}]"
    assert all("__main__" in key for key in found)


@answer_of("pyexc", does="exceptions")
def test_pyexc_finds_what_is_raised_and_what_is_swallowed(result: str) -> None:
    found = maps(result)
    # What is caught and raised again comes to 0, and is shown where there is room.
    ours = {key: count for key, count in found.items() if "__main__" in key and count}
    fail = line_of("    raise ValueError(text)")
    other = line_of('        raise KeyError("other") from e')
    attribute = line_of("        raise AttributeError(name)")
    assert ours == {
        f"raised[ValueError, __main__, fail, {fail}]": 23 + 3 + 5,
        f"raised[KeyError, __main__, translates, {other}]": 5,
        f"raised[AttributeError, __main__, Attributes.__getattr__, {attribute}]": 7,
        "caught[ValueError, __main__, swallows]": 23,
        "caught[ValueError, __main__, translates]": 5,
        "caught[ValueError, __main__, exceptions]": 3,
        "caught[KeyError, __main__, exceptions]": 5,
    }


@answer_of("pygc", does="garbage")
def test_pygc_times_each_pause(result: str) -> None:
    pauses = re.search(r"^@pauses_us\[2\]: .*?count (= )?(\d+),.*average (= )?(\d+)", result, re.M)
    assert pauses
    assert int(pauses[2]) == 8
    assert int(pauses[4]) > 0
    assert sum(histogram(result, "2").values()) == 8
    found = maps(result)
    assert found["longest_us[2]"] >= int(pauses[4])
    # Node and, before 3.13, the dict of its attributes.
    assert found["collected[2]"] >= 23


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


@answer_of("pymarks", does="marks")
def test_pymarks_times_steps_and_counts_marks(result: str) -> None:
    assert sum(histogram(result, "parse").values()) == 23
    store = histogram(result, "store")
    assert sum(store.values()) == 5
    assert min(bound for bound, count in store.items() if count) >= 16 * 1024
    assert maps(result)["marks[refused]"] == 7
    steps = dict(re.findall(r"^@steps_us\[(\w+)\]: .*?count (?:= )?(\d+),", result, re.MULTILINE))
    assert steps == {"parse": "23", "store": "5"}
