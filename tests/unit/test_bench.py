# SPDX-License-Identifier: Apache-2.0
"""What the bench makes of the values that it measured. Nothing here is timed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from notes import notes

from bench import loads, memory, race, readme, report, results, semaphore
from bench.compare import less
from bench.errors import BenchError, one_line
from bench.measure import Side
from bench.rows import Row, Target
from bench.stats import Ratio, Sample, quartiles, ratio
from bench.subjects import LIBRARY, Load

NOISY = Sample((100.0, 110.0, 400.0, 105.0, 120.0))
STEADY = Sample((50.0, 50.0, 50.0, 50.0, 50.0))


def test_one_disturbed_round_moves_neither_minimum_nor_median() -> None:
    assert NOISY.minimum == 100
    assert NOISY.median == 110


def test_a_ratio_is_of_the_minima_and_its_spread_of_the_rounds() -> None:
    assert ratio(NOISY, STEADY) == Ratio(best=2.0, median=2.2, low=2.1, high=2.4)


def test_what_disturbs_both_sides_of_a_round_does_not_spread() -> None:
    slow_then_fast = Sample((300.0, 30.0, 120.0))
    found = ratio(Sample(tuple(2 * value for value in slow_then_fast.values)), slow_then_fast)
    assert (found.best, found.median, found.low, found.high) == (2, 2, 2, 2)


def test_a_single_round_has_no_spread() -> None:
    assert quartiles([7.0]) == (7, 7)
    assert ratio(Sample((3.0,)), Sample((2.0,))) == Ratio(1.5, 1.5, 1.5, 1.5)


def test_sides_of_different_rounds_are_not_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio(NOISY, Sample((1.0,)))


def test_the_event_alone_is_what_tracing_adds() -> None:
    assert less(Sample((60.0, 70.0)), Sample((25.0, 20.0))).values == (40, 50)


@pytest.mark.parametrize(
    ("target", "best", "met"),
    [
        (Target(1.10), 1.10, True),
        (Target(1.10), 1.11, False),
        (Target(1, exact=True), 1.0, True),
        (Target(1, exact=True), 0.999, False),
    ],
)
def test_a_target_looks_at_the_minima(target: Target, best: float, met: bool) -> None:
    assert target.met(best) is met


def test_a_miss_and_what_could_not_be_measured_stay_in_the_table_with_the_reason() -> None:
    rows = [
        Row("fast", "time", "ns", STEADY, "peer", NOISY, Target(1), "not shown"),
        Row("slow", "time", "ns", NOISY, "peer", STEADY, Target(1), "it is | slow"),
        Row("absent", "time", "ns", peer="peer", target=Target(1), note="not packaged"),
    ]
    text = report.as_markdown(rows, {"kernel": "Linux 1.0"})
    for line in (
        "| fast, ns | time | 50 (50) | 100 (110) peer | 0.500 | 0.417-0.476 | ≤ 1.00 | yes |",
        "| slow, ns | time | 100 (110) | 50 (50) peer | 2.000 | 2.100-2.400 | ≤ 1.00 | no |",
    ):
        assert line in text
    assert "| absent, ns | time |  |  |  |  | ≤ 1.00 | none |" in text
    assert "- slow, time: missed: it is | slow\n- absent, time: not measured: not packaged" in text
    assert "not shown" not in text
    data = json.loads(results.as_json(rows, {}))["rows"]
    assert [row["met"] for row in data] == [True, False, None]
    assert data[1]["ratio"]["best"] == 2
    assert data[1]["over"]["median"] == 110


def test_a_figure_without_a_peer_has_a_target_too() -> None:
    assert Row("slots", "added", "ns", STEADY, target=Target(60)).met is True
    assert Row("slots", "added", "ns", NOISY, target=Target(60)).met is False


def test_rows_come_back_from_a_file(tmp_path: Path) -> None:
    rows = [
        Row("fast", "time", "ns", STEADY, "peer", NOISY, Target(1, exact=True), "because"),
        Row("richards", "cProfile", "ms", STEADY, "untraced", STEADY, grid="profilers"),
        Row("absent", "time", "ns", peer="peer", note="not packaged"),
    ]
    path = tmp_path / "rows.json"
    results.replace(path, results.as_json(rows, {"kernel": "Linux 1.0"}))
    assert results.load(path) == ({"kernel": "Linux 1.0"}, rows)


def test_rows_of_a_grid_are_one_table_with_a_line_for_each_workload() -> None:
    rows = [
        Row("go", "recorder", "ms", NOISY, "untraced", STEADY, grid="profilers"),
        Row("go", "austin", "ms", peer="untraced", note="needs another libc", grid="profilers"),
        Row("float", "recorder", "ms", STEADY, "untraced", STEADY, grid="profilers"),
        Row("float", "austin", "ms", peer="untraced", note="needs another libc", grid="profilers"),
    ]
    text = report.as_markdown(rows, {})
    assert "| go | 2.00 (2.10-2.40) | none |\n| float | 1.00 (1.00-1.00) | none |" in text
    assert text.count("austin (profilers): not measured: needs another libc") == 1


def cell(workload: str, profiler: str, time: float) -> Row:
    grid = race.grid("")
    return Row(workload, profiler, "ms", Sample((time,)), "untraced", Sample((10.0,)), grid=grid)


def test_the_recorder_is_compared_with_the_best_peer_by_what_each_adds() -> None:
    rows = [
        cell("recursive function", "recorder", 20.0),
        cell("go", "recorder", 14.0),
        cell("recursive function", "cProfile, no builtins", 40.0),
        cell("go", "cProfile, no builtins", 22.0),
        cell("go", "yappi", 11.0),  # better where it runs, but it does not run everywhere
    ]
    mean, cprofile, worst = race.summary(rows)
    assert cprofile.figure == "adds / cProfile, no builtins"
    assert mean.peer == "cProfile, no builtins"
    assert mean.result == pytest.approx((1.0 * 0.4) ** 0.5 / (3.0 * 1.2) ** 0.5)
    assert mean.met is True
    assert worst.result == 2.0


def test_the_recorder_that_takes_no_times_has_a_race_of_its_own() -> None:
    rows = [
        cell("recursive function", "recorder", 40.0),
        cell("recursive function", "recorder, sampled", 24.0),
        cell("recursive function", "cProfile, no builtins", 40.0),
    ]
    found = {(row.case, row.figure): row for row in race.summary(rows)}
    case = "recorder, Python functions, --times sampled"
    assert found[case, "adds / best peer"].result == pytest.approx(1.4 / 3)
    assert found[case, "recursive function, time / untraced"].met is True
    assert found["recorder, Python functions", "recursive function, time / untraced"].met is False


def test_c_calls_are_compared_with_cprofile() -> None:
    rows = [cell("C calls", "recorder, C calls", 20.0), cell("C calls", "cProfile", 31.0)]
    (row,) = (row for row in race.summary(rows) if row.figure.startswith("C calls: "))
    assert (row.case, row.met) == ("recorder, with C functions", True)
    assert row.result == pytest.approx(1 / 2.1)


def test_the_recorder_of_lines_has_limits_on_some_workloads() -> None:
    rows = [
        cell("lines", "recorder, lines", 35.0),
        cell("lines", "line_profiler", 250.0),
        cell("richards", "recorder, lines", 36.0),
        cell("richards", "line_profiler", 250.0),
        cell("go", "recorder, lines", 90.0),
    ]
    found = {(row.case, row.figure): row for row in race.summary(rows)}
    assert found["recorder, lines", "lines, time / untraced"].met is True
    assert found["recorder, lines", "richards, time / untraced"].met is False
    assert ("recorder, lines", "go, time / untraced") not in found
    (row,) = race.verdict("lines", "richards", "", rows[2:4])
    assert (row.peer, row.met) == ("line_profiler", True)


def test_nothing_is_faster_than_no_profiler() -> None:
    rows = [cell("lines", "recorder", 10.1), cell("lines", "yappi", 9.7)]
    (row,) = race.verdict("Python functions", "lines", "", rows)
    assert row.result == pytest.approx(1.01)
    assert race.won(row.case, [row])[0].result == 1


def test_where_nothing_is_called_noise_does_not_decide() -> None:
    assert race.added([cell("lines", "recorder", 9.9)]) == pytest.approx(race.NOISE)


def test_errors_come_without_the_directories_of_the_machine() -> None:
    error = BenchError("/usr/local/bin/x ended early:\n  no file /home/me/y.py, see a/b")
    assert one_line(error) == "x ended early: no file y.py, see a/b"


def test_the_readme_takes_its_figures_from_the_rows() -> None:
    rows = [
        Row("PY_START", "event / floor", "ns", NOISY, "floor", STEADY),
        Row("mark", "nobody listens", "ns", Sample((17.62,)), target=Target(10)),
    ]
    text = (
        "9.99<!-- bench: PY_START | event / --> times, 1,7<!-- bench: mark | nobody listens --> ns"
    )
    after = readme.refreshed(text, rows)
    assert after.startswith("2.00<!-- bench: PY_START | event / --> times, 17.6<!--")
    assert readme.unfounded(after, rows) == []
    assert len(readme.unfounded(text, rows)) == 2
    claim = "fast<!-- bench met: mark -->"
    assert readme.unfounded(claim, rows) == ["mark, nobody listens: missed"]
    absent = "1.0<!-- bench: LINE | event -->"
    assert readme.refreshed(absent, rows) == absent
    assert readme.unfounded(absent, rows) == ["LINE, event: 1.0 is not measured"]


def count(load: Callable[[int], object]) -> dict[str, int]:
    """Calls, lines, and events as the probes count them, of load(5)."""
    counted = {"call": 0, "line": 0}

    def trace(_frame: object, event: str, _value: object) -> object:
        if event in counted:
            counted[event] += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        load(5)
    finally:
        sys.settrace(before)
    return counted


@pytest.mark.parametrize("name", ["fib", "calls", "mixed", "modules 20", "codes 30", "depth 40"])
def test_a_load_says_how_many_calls_it_is(name: str) -> None:
    """The bench compares it with what the tracer counted; here with sys.settrace()."""
    load = loads.find(name)
    assert load.units(5) <= count(load.run)["call"] <= load.units(5) + 1


def test_a_load_says_how_many_lines_it_is() -> None:
    load = loads.find("lines")
    assert load.units(5) <= count(load.run)["line"] <= load.units(5) + 2


@pytest.mark.parametrize("name", [*loads.LOADS, *(f"{kind} 3" for kind in loads.MADE)])
def test_every_load_runs(name: str) -> None:
    load = loads.find(name)
    load.run(2)
    assert load.units(2) > 0


def test_a_peer_that_cannot_run_stays_in_the_table_with_the_reason() -> None:
    load = Load("go", 1)
    sides = {name: Side(name, load) for name in ("untraced", "recorder", "scalene")}
    times = {sides["untraced"]: STEADY, sides["recorder"]: NOISY}
    rows = race.in_grid("go", "profilers", sides, times, {sides["scalene"]: "exit status -11"})
    assert [(row.figure, row.ratio is None, row.note) for row in rows] == [
        ("recorder", False, ""),
        ("scalene", True, "exit status -11"),
    ]


def test_a_semaphore_is_found_where_the_note_says() -> None:
    library = LIBRARY.resolve()
    assert semaphore.semaphore(library, "PY_START") == notes(library)["PY_START"].semaphore
    with pytest.raises(BenchError, match="has no probe PY_STOP"):
        semaphore.semaphore(library, "PY_STOP")


def test_what_memory_adds_is_compared_over_all_workloads() -> None:
    rows = [
        Row(name, subject, "ms", Sample((over,)), "untraced", Sample((10.0,)), grid=memory.GRID)
        for name, exact, other in (("a", 12.0, 20.0), ("b", 18.0, 170.0))
        for subject, over in ((memory.EXACT, exact), (memory.TRACEMALLOC, other))
    ]
    (row,) = memory.summary(rows)
    assert row.figure == "adds / tracemalloc"
    assert row.result == pytest.approx(0.1)  # the root of 0.2 * 0.8, over that of 1 * 16
    assert row.met
    assert not memory.summary(rows[:-1])  # it failed on a workload


def test_memory_is_judged_above_the_recorder() -> None:
    times = {"untraced": 10.0, memory.PLAIN: 14.0, memory.EXACT: 16.0, memory.SAMPLED: 15.0}
    found = memory.verdicts("a", {name: Sample((value,)) for name, value in times.items()})
    assert [(row.figure, row.met) for row in found] == [
        ("a: adds to the recorder", True),
        ("a: sampled / recorder", False),
    ]
