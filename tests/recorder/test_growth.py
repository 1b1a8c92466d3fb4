# SPDX-License-Identifier: Apache-2.0
"""What grows from step to step, what lives since when, and the memory of steps."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import DEADLINE, ROOT

import pyusdt
from pyusdt.recording import Recording

from .programs import grows
from .programs.grows import KB, LEVEL, SIZE, STEPS

PROGRAM = Path(grows.__file__)
LINE = next(
    n for n, line in enumerate(PROGRAM.read_text().splitlines(), 1) if line.endswith("# leak")
)
SEEDS = 200 if os.environ.get("LONG", "") not in ("", "0") else 3
MB = 1000 * KB


def recorded(function: Callable[..., object], *args: object, memory: str = "python") -> Recording:
    with pyusdt.record(
        only=[grows.__name__, __name__], lines=[grows.__name__], memory=memory
    ) as rec:  # type: ignore[arg-type]
        kept = function(*args)
    del kept
    return rec.recording


def test_a_leak_among_much_traffic_is_named_with_its_line() -> None:
    recording = recorded(grows.leaks)
    (found,) = [it for it in recording.growth if it.grows]
    assert found.record
    assert (found.name, found.record.qualname, found.line) == ("request", "leak", LINE)
    assert found.line_record == found.record
    assert found.trend.slope == pytest.approx(KB)
    assert found.trend.low <= found.trend.slope <= found.trend.high
    assert found.bytes >= STEPS * 9 // 10 * KB
    allocated = sum(it.memory.allocated_bytes for it in recording.steps[0].rows if it.memory)
    assert allocated >= 100 * MB


@pytest.mark.parametrize("program", LEVEL)
def test_a_program_without_a_leak_gets_none_named(program: Callable[..., object]) -> None:
    for seed in range(SEEDS):
        recording = recorded(program, random.Random(seed))
        assert recording.aged.points[-1].iteration > STEPS / 2
        named = [it[:6] for it in recording.growth if it.grows]
        assert not named, (seed, named)


def test_what_grows_is_in_files_and_reports(tmp_path: Path) -> None:
    path = tmp_path / "out.pyusdt"
    source = (
        "import sys; sys.path.insert(0, sys.argv[1])\nfrom tests.recorder.programs import grows\n"
        "kept = grows.leaks()\n"
    )
    command = [sys.executable, "-m", "pyusdt", "-o", path, "--memory=python", "--lines=*grows"]
    environment = {**os.environ, "COLUMNS": "100", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}

    def run(*arguments: str | os.PathLike[str]) -> str:
        ran = subprocess.run(
            arguments, check=True, capture_output=True, text=True, timeout=DEADLINE, env=environment
        )
        return ran.stdout

    run(*command, "-c", source, str(ROOT))
    report = [sys.executable, "-m", "pyusdt", "report", path]
    table = run(*report, "--growth").splitlines()
    (row,) = [line for line in table if "grows:leak" in line]
    assert row.split()[:2] == ["+1.00", "kB"]
    assert f"grows.py:{LINE}" in row
    assert not any("traffic" in line for line in table)
    document = json.loads(run(*report, "-f", "json"))
    (leak,) = [it for it in document["growth"] if it["grows"]]
    assert (leak["qualname"], leak["line"], leak["step"]) == ("leak", LINE, "request")
    assert len(document["steps"][0]["memory"]) == STEPS
    assert document["steps"][0]["memory"][-1]["allocated_bytes"] >= 100 * KB
    rows = run(*report, "--steps", "-f", "csv").splitlines()
    assert rows[0].endswith("rss_start_bytes,rss_end_bytes,allocated_bytes,freed_bytes,peak_bytes")
    assert len(rows) == STEPS + 1
    assert "allocated" in run(*report, "--steps")


def test_without_memory_there_is_no_growth_and_no_memory_of_steps(tmp_path: Path) -> None:
    with pyusdt.record(tmp_path / "out.pyusdt") as rec:
        for _ in pyusdt.steps(range(100), "x"):
            pass
    assert not rec.recording.growth
    assert not rec.steps[0].memory
    command = [sys.executable, "-m", "pyusdt", "report", "--growth", tmp_path / "out.pyusdt"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert ran.returncode == 1
    assert ran.stderr.endswith("no growth: memory was not recorded: record with --memory\n")


kept: list[bytes] = []


def keep(size: int) -> None:
    kept.append(bytes(size))


def steps_and_marks() -> None:
    kept.clear()
    keep(10 * MB)
    pyusdt.mark("loaded")
    keep(3 * MB)
    with pyusdt.step("outer"):
        keep(1 * MB)
        bytes(7 * MB)
        with pyusdt.step("inner"):
            bytes(2 * MB)
            kept.pop()
    keep(5 * MB)


@pytest.fixture(params=["in memory", "in a file"])
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Recording:
    path = None if request.param == "in memory" else tmp_path / "out.pyusdt"
    with pyusdt.record(path, lines=[__name__], only=[__name__], memory="python") as rec:
        steps_and_marks()
    return rec.recording if path is None else pyusdt.load(path)


def test_steps_have_their_memory(recording: Recording) -> None:
    steps = {it.name: it.memory for it in recording.steps if it.kind == "step"}
    (outer,), (inner,) = steps["outer"], steps["inner"]
    slack = 100 * KB
    assert 10 * MB <= outer.allocated_bytes <= 10 * MB + slack
    assert 10 * MB <= outer.freed_bytes <= 10 * MB + slack
    assert 21 * MB <= (outer.peak_bytes or 0) <= 21 * MB + slack
    assert 2 * MB <= inner.allocated_bytes <= 2 * MB + slack
    assert 3 * MB <= inner.freed_bytes <= 3 * MB + slack
    assert 16 * MB <= (inner.peak_bytes or 0) <= 16 * MB + slack
    assert min(outer.rss_start_bytes, outer.rss_end_bytes, inner.rss_start_bytes) > 1 * MB


def living(recording: Recording, since: str | int = 0, until: str | int | None = None) -> int:
    """Whole megabytes that keep() has left."""
    found = recording.living_since(since, until)
    return sum(it.bytes for it in found if it.record and it.record.qualname == "keep") // MB


def test_what_lives_is_known_since_when(recording: Recording) -> None:
    (outer,) = [row for it in recording.steps if it.name == "outer" for row in it.rows]
    end = outer.start_ns + (outer.elapsed_ns or 0)
    assert living(recording) == 18
    assert living(recording, until="loaded") == 10
    assert living(recording, "loaded") == 8
    assert living(recording, "loaded", outer.start_ns) == 3
    assert living(recording, outer.start_ns, end) == 0
    assert living(recording, end) == 5
    (place,) = [it for it in recording.living_since(end) if it.bytes > MB]
    assert place.record
    assert (place.record.qualname, place.blocks) == ("keep", 1)
    with pytest.raises(ValueError, match="no mark 'unloaded'"):
        recording.living_since("unloaded")


def test_a_step_that_began_before_memory_was_recorded_has_none() -> None:
    step = pyusdt.step("long")
    with pyusdt.record() as rec, step, pyusdt.record(memory="python"):
        pass
    assert not rec.steps[0].memory


def test_sizes_are_as_they_are_said_to_be() -> None:
    assert sys.getsizeof(bytes(SIZE)) == KB
