# SPDX-License-Identifier: Apache-2.0
"""Memory of a program that was counted by hand, with numpy; beside memray; other allocators."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import missing
from harness import ROOT

import pyusdt
from pyusdt.recording import Recording
from pyusdt.recording.memory import NOTHING, MemoryFigures

from . import environments
from .environments import Environment
from .packages import Package

HERE = Path(__file__).parent
KNOWN, BESIDE = HERE / "known.py", HERE / "beside.py"
LINES = {
    mark.strip(): number
    for number, line in enumerate(KNOWN.read_text().splitlines(), 1)
    for mark in line.split("  # ")[1:]
}
HEADS, MB = 500, 1_000_000
REPLACED = "times that another tool has put out the hooks of memory"
# Until 2.4 numpy takes the data of arrays from malloc(), from 2.5 on from PyMem_RawMalloc().
NUMPYS = ("2.4.6", "2.5.5")

pytestmark = [pytest.mark.packages, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=NUMPYS)
def environment(request: pytest.FixtureRequest) -> Environment:
    needs = "memray==1.19.3" if request.param == NUMPYS[0] else ""
    return environments.of(Package("numpy", request.param, "", needs=needs, sdist=False))


@pytest.fixture(scope="module")
def memray() -> Environment:
    return environments.of(Package("numpy", NUMPYS[0], "", needs="memray==1.19.3", sdist=False))


def run(environment: Environment, *words: str | Path, **variables: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PY")}
    done = subprocess.run(
        [environment.python, *words],
        cwd=environment.directory,
        env=kept | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def recorded(
    environment: Environment, to: Path, *also: str, **variables: str
) -> tuple[Recording, dict[str, tuple[int, int]]]:
    """What is recorded of known.py, and what it knows."""
    out, result = to / "out.pyusdt", to / "known.json"
    options = "-m", "pyusdt", "--memory", "--lines", "__main__", "-o", out
    run(environment, *options, KNOWN, result, *also, **variables)
    return pyusdt.load(out), json.loads(result.read_text())


def at(recording: Recording, mark: str) -> MemoryFigures:
    """At the line, by it and what it calls in C."""
    sum_ = NOTHING
    for row in recording.memory_rows:
        if row.line_record and row.line_record.file == str(KNOWN) and row.line == LINES[mark]:
            sum_ = sum_.plus(row.figures)
    return sum_


def check(recording: Recording, known: dict[str, tuple[int, int]]) -> None:
    assert recording.losses.keys() <= {"calls folded into their recursion"}
    for mark, (size, blocks) in known.items():
        found = at(recording, mark)
        assert found.live_bytes - size in range(HEADS), mark
        assert found.live_blocks - blocks in range(5), mark
    assert at(recording, "temporary").biggest - 100 * MB in range(HEADS)
    assert at(recording, "product").peak_bytes - 160 * MB in range(MB)
    assert at(recording, "exchanged").freed_bytes >= 1000 * 20_000


def test_each_line_has_what_was_counted_by_hand(environment: Environment, tmp_path: Path) -> None:
    recording, known = recorded(environment, tmp_path, "numpy")
    assert len(known) == 10
    check(recording, known)
    for mark in ("zeros", "empty", "product"):
        assert at(recording, mark).biggest == 80 * MB
    assert at(recording, "product").allocated_bytes >= 160 * MB


PEAK = "import memray, sys; print(memray.FileReader(sys.argv[1]).metadata.peak_memory)"


@pytest.mark.parametrize("option", ["", "--trace-python-allocators"])
def test_the_peak_is_that_of_memray(
    memray: Environment, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording, _ = recorded(memray, tmp_path, "numpy")
    file = tmp_path / "memray.bin"
    options = ["-m", "memray", "run", "-q", *option.split(), "-o", file]
    run(memray, *options, KNOWN, tmp_path / "again.json", "numpy")
    argv = [memray.python, "-c", PEAK, file]
    theirs = int(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    ours = recording.memory_totals.peak_bytes
    with capsys.disabled():
        print(f"\npeak: pyusdt {ours:,}, memray {option or '(native)'} {theirs:,}", end="")
    assert ours == pytest.approx(theirs, rel=0.01)


@pytest.mark.parametrize("order", ["MPPM", "PMMP", "MPMP", "PMPM"])
def test_memray_beside_it(memray: Environment, order: str, tmp_path: Path) -> None:
    """Each tool puts its hooks in the place of the other's, as it comes or goes: a loss."""
    output, file = tmp_path / "out.json", tmp_path / "memray.bin"
    run(memray, BESIDE, order, output, file)
    found = json.loads(output.read_text())
    assert found["texts"] == [1000 * 10_033, 1000]
    assert found["counts"]
    assert found["peak"] - 110 * MB in range(MB)
    assert found["losses"].keys() == (set() if order == "MPPM" else {REPLACED})


ALLOCATORS = {
    "jemalloc": ("libjemalloc2", "libjemalloc.so.2"),
    "tcmalloc": ("libtcmalloc-minimal4", "libtcmalloc_minimal.so.4"),
}


@pytest.fixture(params=ALLOCATORS)
def allocator(request: pytest.FixtureRequest) -> Path:
    package, name = ALLOCATORS[request.param]
    if not [*Path("/usr/lib").glob(f"*/{name}")]:
        need = [ROOT / "tools" / "need", f":{package}"]
        if subprocess.run(need, capture_output=True, check=False).returncode:
            missing(f"{package} is not installed")
    return next(Path("/usr/lib").glob(f"*/{name}"))


def test_allocators_that_are_preloaded(
    memray: Environment, allocator: Path, tmp_path: Path
) -> None:
    """What they map for themselves is not the program's."""
    recording, known = recorded(memray, tmp_path, "numpy", LD_PRELOAD=str(allocator))
    check(recording, known)
    assert recording.memory_totals.peak_bytes < 400 * MB
