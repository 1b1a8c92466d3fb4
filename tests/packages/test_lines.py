# SPDX-License-Identifier: Apache-2.0
"""Every line has as many hits as line_profiler counts: its own test programs, and pyperformance's.

line_profiler counts a line when it ends, pyusdt when it begins. docs/pages/lines.md has what
CPython makes of lines; both get that alike.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from harness import ROOT

from . import environments
from .environments import Environment
from .packages import Package

LIMIT_SECONDS = 120
COUNTED = Path(__file__).with_name("lined.py")
# Its tests are not run, but their programs are.
LINE_PROFILER = Package(
    "line_profiler", "5.1.0", "tests", needs="pyperformance==1.14.0 pyperf==2.10.0"
)
OWN = ("complex_example", "small_functions", "loops", "exceptions", "sums")
PYPERFORMANCE = ("richards", "deltablue", "raytrace", "nbody", "go", "hexiom", "nqueens", "float")
RUNS, LONG_SECONDS, NOISE = 5, 0.001, 0.1

pytestmark = [pytest.mark.packages, pytest.mark.timeout(5 * LIMIT_SECONDS)]

Rows = dict[tuple[str, int], tuple[int, float]]
"""Hits and seconds by file and line."""


@pytest.fixture(scope="module")
def environment() -> Environment:
    return environments.of(LINE_PROFILER)


def lines(environment: Environment, kind: str, program: str, directory: Path) -> Rows:
    output = directory / f"{kind}.json"
    tests = environment.tests_in / "tests"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PY")}
    path = os.pathsep.join(map(str, (tests, ROOT / "bench")))
    own = {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "LINE_PROFILER_TESTS": str(tests)}
    done = subprocess.run(
        [environment.python, COUNTED, kind, program, output],
        env=kept | own,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {(file, line): (hits, time) for file, line, hits, time in json.loads(output.read_text())}


def both(environment: Environment, program: str, directory: Path) -> tuple[Rows, Rows]:
    first, second = (
        lines(environment, kind, program, directory) for kind in ("line_profiler", "pyusdt")
    )
    return first, second


@pytest.mark.parametrize("program", [*OWN, *PYPERFORMANCE])
def test_hits_are_those_of_line_profiler(
    environment: Environment, program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs, ours = both(environment, program, tmp_path)
    differ = {
        key: (theirs.get(key, (0, 0))[0], ours.get(key, (0, 0))[0])
        for key in theirs.keys() | ours.keys()
        if theirs.get(key, (0, 0))[0] != ours.get(key, (0, 0))[0]
    }
    total = sum(hits for hits, _ in ours.values())
    with capsys.disabled():
        print(f"\n{program}: {len(ours)} lines, {total:,} hits, {len(differ)} lines differ", end="")
    assert total > 10
    assert not differ


def test_times_with_callees_are_those_of_line_profiler(
    environment: Environment, tmp_path: Path
) -> None:
    runs = [both(environment, "timed", tmp_path) for _ in range(RUNS)]
    first, _ = runs[0]
    long = {key for key, (hits, time) in first.items() if time / hits >= LONG_SECONDS}
    assert len(long) == 8
    for key in long:  # the least disturbed of each
        theirs, ours = (min(run[tool][key][1] for run in runs) for tool in (0, 1))
        assert ours == pytest.approx(theirs, rel=NOISE), key
