# SPDX-License-Identifier: Apache-2.0
"""Steps and marks in recordings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from harness import DEADLINE

import pyusdt

MS = 1_000_000


def by_name(recorded):
    return {step.name: step for step in recorded.steps}


def series(path, name):
    steps = by_name(pyusdt.load(path))
    return steps[name].series if name in steps else []


def some_steps() -> None:
    for i in pyusdt.steps([3, 1, 2], "row"):
        with pyusdt.step("nap"):
            time.sleep(i / 1000)
        pyusdt.mark("length", i)


def test_steps_and_marks():
    some_steps()
    with pyusdt.record() as rec:
        some_steps()
    some_steps()
    assert [(s.name, s.kind, s.count) for s in rec.steps] == [
        ("row", "step", 3), ("nap", "step", 3), ("length", "mark", 3)
    ]  # fmt: skip
    steps = by_name(rec)
    naps = steps["nap"].series
    assert [nap >= least * MS for nap, least in zip(naps, [3, 1, 2], strict=True)] == [True] * 3
    assert steps["nap"].min == min(naps)
    assert steps["nap"].max == max(naps)
    assert steps["nap"].mean == pytest.approx(sum(naps) / 3)
    assert steps["nap"].percentile(0.5) == sorted(naps)[1]
    assert steps["nap"].deviation > 0
    assert steps["length"].series == [3, 1, 2]
    assert rec.losses == {}


def test_they_are_on_the_clock_of_the_process():
    with pyusdt.record() as rec:
        begin = time.monotonic_ns()
        with pyusdt.step("timed"):
            pyusdt.mark("inside")
        end = time.monotonic_ns()
    rows = {step.name: step.rows[0] for step in rec.steps}
    slack = MS  # the rate of the ticks is measured
    assert begin - slack <= rows["timed"][3] <= rows["inside"][3] <= end + slack
    assert rows["timed"][4] <= end - begin + slack


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        (None, None), (7, 7), (-1, -1), (True, 1), (2**63 - 1, 2**63 - 1), (-(2**63), -(2**63)),
        (2**63, str(2**63)), (0.25, 0.25), ("text é", "text é"), ([1, "a"], "[1, 'a']"),
        (b"x", "b'x'"), (object(), "<builtins.object>"), ("\udc80\0", r"\udc80\x00"),
    ],
    ids=lambda value: ascii(value)[:20],
)  # fmt: skip
def test_values_of_marks(value, recorded, tmp_path):
    path = tmp_path / "out.pyusdt"
    with pyusdt.record(path) as rec:
        pyusdt.mark("value", value)
    for found in (rec, pyusdt.load(path)):
        (step,) = found.steps
        assert step.series == [recorded]


def test_values_that_cannot_be_computed_with(tmp_path):
    path = str(tmp_path / "out.pyusdt")
    values = [float("inf"), float("-inf"), float("nan"), 1e308, -1e308, 2, 4]
    with pyusdt.record(path, only="no.such.function") as rec:
        for value in values:
            pyusdt.mark("strange", value)
    (step,) = rec.steps
    assert (step.count, step.mean, step.max) == (7, 3, 4)
    row = said("report", "--steps", path).splitlines()[-1].split()
    assert (row[:2], row[-2:]) == (["7", "3"], ["strange", "mark"])
    for out in ("x.json", "x.html", "x.csv", "x.folded", "x.speedscope.json", "x.pb.gz"):
        said("report", path, "-o", str(tmp_path / out))
    said("compare", path, path)


def test_in_the_order_of_their_starts(tmp_path):
    path = tmp_path / "out.pyusdt"
    with pyusdt.record(path), pyusdt.step("outer"):
        pyusdt.mark("a")
        with pyusdt.step("inner"):
            pyusdt.mark("b")
    assert [step.name for step in pyusdt.load(path).steps] == ["outer", "a", "inner", "b"]


def test_nested_recordings_have_their_own():
    with pyusdt.record() as outer:
        pyusdt.mark("n", 1)
        with pyusdt.record() as inner:
            pyusdt.mark("n", 2)
        pyusdt.mark("n", 3)
        assert by_name(outer)["n"].series == [1, 2, 3]
        with inner:
            pyusdt.mark("n", 4)
    pyusdt.mark("n", 5)
    with outer:
        pyusdt.mark("n", 6)
    assert by_name(outer)["n"].series == [1, 2, 3, 4, 6]
    assert by_name(inner)["n"].series == [2, 4]


def test_of_the_current_thread():
    thread = threading.Thread(target=pyusdt.mark, args=("elsewhere",))
    with pyusdt.record() as everything, pyusdt.record(threads="current") as mine:
        thread.start()
        thread.join()
        pyusdt.mark("here")
    assert set(by_name(everything)) == {"here", "elsewhere"}
    assert set(by_name(mine)) == {"here"}


def test_of_a_child(tmp_path):
    path = tmp_path / "out.pyusdt"
    with pyusdt.record(path):
        pyusdt.mark("who", 1)
        child = os.fork()
        if child == 0:
            pyusdt.mark("who", 2)
            os._exit(0)
        os.waitpid(child, 0)
        pyusdt.mark("who", 3)
    recording = pyusdt.load(path)
    series = {
        process.pid: by_name(recording.select(process=lambda p, one=process: p is one))[
            "who"
        ].series
        for process in recording.processes
    }
    assert series == {os.getpid(): [1, 3], child: [2]}


def test_flushed_while_they_go_on(tmp_path):
    path = tmp_path / "out.pyusdt"
    with pyusdt.record(path, flush=0.02):
        deadline = time.monotonic() + DEADLINE
        for part in range(3):  # each in another flush
            for i in range(10):
                pyusdt.mark("n", 10 * part + i)
            while len(series(path, "n")) < 10 * (part + 1):
                assert time.monotonic() < deadline
        pyusdt.mark("n", 30)
    assert series(path, "n") == list(range(31))


def test_there_is_a_bound_and_what_is_lost_is_told():
    with pyusdt.record() as rec:
        for _ in pyusdt.steps(range(500_100), "one"):
            pass
    (step,) = rec.steps
    assert step.count == 500_000
    assert rec.losses == {"steps and marks beyond 500,000": 100}
    with pyusdt.record() as rec:
        for i in range(10_010):
            pyusdt.mark(f"name {i}")
    assert len(rec.steps) == 10_000
    assert rec.losses == {"steps and marks beyond 500,000": 10}


def said(*words, code=0):
    argv = [sys.executable, "-m", "pyusdt", *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


def test_report_and_compare(tmp_path):
    paths = [str(tmp_path / name) for name in ("a.pyusdt", "b.pyusdt")]
    for path, seconds in zip(paths, (0, 0.02), strict=True):
        with pyusdt.record(path):
            for _ in pyusdt.steps(range(5), "iteration"):
                time.sleep(seconds)
    lines = said("report", "--steps", paths[0]).splitlines()
    (at,) = [i for i, line in enumerate(lines) if line.startswith("count ")]
    head, row = lines[at : at + 2]
    assert head.split()[:7] == ["count", "mean", "spread", "min", "p50", "p99", "max"]
    assert row.split()[0] == "5"
    assert row.split()[-1] == "iteration"
    (step,) = json.loads(said("report", "-f", "json", paths[0]))["steps"]
    assert (step["name"], step["kind"], step["count"]) == ("iteration", "step", 5)
    assert len(step["series"]) == 5
    compared = said("compare", *paths, "--fail-above", "50%", "--force", code=1).splitlines()
    (row,) = [line for line in compared if line.endswith("  iteration")]
    assert row.startswith("+")
    assert compared[-1].startswith("grew by ")
