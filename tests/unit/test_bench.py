# SPDX-License-Identifier: Apache-2.0
"""What the bench makes of the values that it measured. Nothing here is timed."""

from __future__ import annotations

import json
import sys

import pytest

from bench import report, worker
from bench.cases import less
from bench.rows import Row, Target
from bench.stats import Ratio, Sample, quartiles, ratio

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
    assert target.met(Ratio(best, 9, 9, 9)) is met


def test_a_miss_and_what_could_not_be_measured_stay_in_the_table_with_the_reason() -> None:
    rows = [
        Row("fast", "time", "ns", STEADY, "peer", NOISY, Target(1), "not shown"),
        Row("slow", "time", "ns", NOISY, "peer", STEADY, Target(1), "it is | slow"),
        Row("absent", "time", "ns", peer="peer", target=Target(1), note="not packaged"),
    ]
    text = report.as_markdown(rows, {"kernel": "Linux 1.0"})
    assert (
        "| fast, ns | time | 50.0 (50.0) | 100 (110) | 0.500 | 0.417-0.476 | ≤ 1.00 | yes |" in text
    )
    assert (
        "| slow, ns | time | 100 (110) | 50.0 (50.0) | 2.000 | 2.100-2.400 | ≤ 1.00 | no |" in text
    )
    assert "| absent, ns | time |  |  |  |  | ≤ 1.00 | none |" in text
    assert "- slow, time: missed: it is | slow\n- absent, time: not measured: not packaged" in text
    assert "not shown" not in text
    data = json.loads(json.dumps(report.as_data(rows, {})))["rows"]
    assert [row["met"] for row in data] == [True, False, None]
    assert data[1]["ratio"]["best"] == 2
    assert data[1]["over"]["median"] == 110


@pytest.mark.parametrize("name", sorted(worker.LOADS))
def test_a_load_says_how_much_work_it_is(name: str) -> None:
    """The bench compares it with what the tracer counted; here with sys.settrace()."""
    load, units = worker.LOADS[name]
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
    if name == "lines":
        assert units(5) <= counted["line"] <= units(5) + 2
    else:
        assert units(5) <= counted["call"] <= units(5) + 1
