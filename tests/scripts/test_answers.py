# SPDX-License-Identifier: Apache-2.0
"""The scripts that start from probes: each one's answer, on a program whose answer is known."""

from __future__ import annotations

import re

import pytest
from harness import ROOT, Program, Tracer, maps
from scripts.trace import PROGRAM, Trace, answer

pytestmark = pytest.mark.usefixtures("bpftrace", "library")

SOURCE = PROGRAM.read_text().splitlines()


def line_of(text: str) -> int:
    return SOURCE.index(text) + 1


def histogram(text: str, key: str) -> dict[int, int]:
    """A histogram's counts by the lower bound of its rows."""
    units = {"": 1, "K": 1024, "M": 1024**2}
    rows = text.partition(f"@us[{key}]:")[2].partition("\n@")[0]
    found = re.findall(r"^\[(\d+)([KM]?)[\],].* (\d+) \|", rows, re.MULTILINE)
    return {int(number) * units[unit]: int(count) for number, unit, count in found}


def test_pycalls_counts_calls_by_function() -> None:
    found = maps(answer("pycalls", "__main__", does=("calls",)))
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


def test_pycalls_shows_the_part_that_is_asked_for() -> None:
    found = maps(answer("pycalls", "Shop.s", does=("calls",)))
    assert found == {"calls[__main__, Shop.sell]": 7}


def test_pycalls_of_a_process_that_runs() -> None:
    """By bpftrace itself: the way without `pyusdt trace`."""
    with Program("-m", "pyusdt", PROGRAM, "waits", "calls", "waits") as program:
        program.expect("^ready")
        library = f"/proc/{program.pid}/root{(ROOT / 'libpyusdt.so').resolve()}"
        script = ROOT / "scripts/pycalls.bt"
        with Tracer(script, program.pid, parameters=[library, "work"]) as tracer:
            program.expect_on("PY_START")
            program.send("")
            program.expect("^ready")
            assert maps(tracer.finish()) == {"calls[__main__, work]": 23}


def test_pycalls_of_all_processes_those_too_that_start_later() -> None:
    with Trace("pycalls", "sell") as trace:
        trace.expect("^Counting")
        with Program("-m", "pyusdt", PROGRAM, "waits", "calls") as program:
            # The word that all probes are in place: they are for this program, too.
            program.expect("^pyusdt: enabled")
            program.send("")
            assert program.wait() == 0
        trace.child.send_signal(2)
        assert trace.wait() == 0
    assert maps(trace.output)["calls[__main__, Shop.sell]"] == 7


def test_pylat_shows_where_the_time_goes() -> None:
    text = answer("pylat", "__main__", does=("slowly",))
    slow = histogram(text, "__main__, slow")
    assert sum(slow.values()) == 5
    assert min(bound for bound, count in slow.items() if count) >= 16 * 1024
    work = histogram(text, "__main__, work")
    assert sum(work.values()) == 23
    assert work[0] > 0
    slowly = histogram(text, "__main__, slowly")
    assert min(bound for bound, count in slowly.items() if count) >= 64 * 1024


def test_pyslower_prints_the_slow_calls() -> None:
    text = answer("pyslower", "15", "__main__", does=("slowly",))
    found = re.findall(
        r"^\d\d:\d\d:\d\d +\d+ +(\d+)\.\d{3} +(\d+) __main__:(\d+) (\S+)$", text, re.M
    )
    names = [name for *_, name in found]
    assert names == ["slow"] * 5 + ["slowly", "<module>"]
    milliseconds, depths, lines = ([int(row[i]) for row in found] for i in range(3))
    assert all(20 <= value < 100 for value in milliseconds[:5])
    assert milliseconds[5] >= 100
    assert [depth - depths[6] for depth in depths] == [2] * 5 + [1, 0]
    assert lines[:6] == [line_of("def slow() -> None:")] * 5 + [line_of("def slowly() -> None:")]


def test_pyslower_hears_of_calls_below_the_default() -> None:
    text = answer("pyslower", "2", "brisk", does=("briskly",))
    assert len(re.findall(r" __main__:\d+ brisk$", text, re.MULTILINE)) == 23


def test_pyflow_draws_calls_and_returns() -> None:
    text = answer("pyflow", "0", "__main__", does=("flow",))
    drawn = [row[18:] for row in text.splitlines() if re.match(r"^\d+ ", row)]
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


def test_pylines_finds_the_hottest_line() -> None:
    found = maps(answer("pylines", "__main__", does=("calls",)))
    body = line_of("        work()")
    assert found[f"runs[__main__, calls, {body}]"] == 23
    assert found[f"runs[__main__, calls, {body - 1}]"] == 24
    assert max(found, key=lambda key: found[key]) == f"runs[__main__, calls, {body - 1}]"
    assert all("__main__" in key for key in found)


def test_pyexc_finds_what_is_raised_and_what_is_swallowed() -> None:
    found = maps(answer("pyexc", does=("exceptions",)))
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


def test_pygc_times_each_pause() -> None:
    text = answer("pygc", does=("garbage",))
    pauses = re.search(r"^@pauses_us\[2\]: .*?count (= )?(\d+),.*average (= )?(\d+)", text, re.M)
    assert pauses
    assert int(pauses[2]) == 8
    assert int(pauses[4]) > 0
    assert sum(histogram(text, "2").values()) == 8
    found = maps(text)
    assert found["longest_us[2]"] >= int(pauses[4])
    # Node and, before 3.13, the dict of its attributes.
    assert found["collected[2]"] >= 23


def test_pyasync_names_the_coroutine_that_blocks_the_loop() -> None:
    text = answer("pyasync", "40", does=("loop",))
    blocked = re.findall(r"^[\d:]{8} +\d+ +(\d+)\.\d{3} (\S+) in (\S+) (\S+)$", text, re.MULTILINE)
    ours = [row for row in blocked if row[1] == "blocker"]
    assert [row[2:] for row in ours] == [
        (f"__main__:{line_of('def crunch() -> None:')}", "crunch")
    ] * 3
    assert all(50 <= int(row[0]) < 100 for row in ours)
    assert len(ours) > len(blocked) / 2


def test_pystat_tells_each_second() -> None:
    with Trace("pystat", "--", PROGRAM, "busy", PYUSDT_ONLY="__main__") as trace:
        seen = [0, 0, 0]
        while seen[0] < 1000:
            row = trace.expect(r"^[\d:]{8} +(\d+) +(\d+) +\d+ +\d+\.\d{3} +(\d+)$")
            seen = [before + int(now) for before, now in zip(seen, row.groups(), strict=True)]
        trace.send("")
        assert trace.wait() == 0
    modules = 4  # <module>, and the classes' bodies
    assert seen[0] == modules + 1 + 2 * (1 + 499 + 3 * 11)
    assert seen[1] == 2 * 11
    assert seen[2] >= 2


def test_pymarks_times_steps_and_counts_marks() -> None:
    text = answer("pymarks", does=("marks",))
    assert sum(histogram(text, "parse").values()) == 23
    store = histogram(text, "store")
    assert sum(store.values()) == 5
    assert min(bound for bound, count in store.items() if count) >= 16 * 1024
    assert maps(text)["marks[refused]"] == 7
    steps = dict(re.findall(r"^@steps_us\[(\w+)\]: .*?count (?:= )?(\d+),", text, re.MULTILINE))
    assert steps == {"parse": "23", "store": "5"}
