# SPDX-License-Identifier: Apache-2.0
"""Lines as they are counted, sampled, handed over and subtracted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import DEADLINE, Process, Program, environment

import pyusdt
from pyusdt import libpyusdt
from pyusdt.recording import Recording
from pyusdt.recording.counts import unpack
from pyusdt.recording.lines import LineFigures
from pyusdt.recording.snapshot import FunctionRow
from pyusdt.remote import control_layout
from pyusdt.remote.attached import Process as Traced

from .test_remote_recording import do, recording, refused, stop

PROGRAMS = Path(__file__).parent / "programs"
QUIET = environment(PYUSDT_VERBOSE="0")
SECONDS = 0.4


@pytest.fixture
def target() -> Iterator[Program]:
    with Program(PROGRAMS / "target.py") as program:
        program.expect("^ready")
        yield program


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.pyusdt"


def line_of(path: Path, text: str) -> int:
    (number,) = (n for n, line in enumerate(path.read_text().split("\n"), 1) if text in line)
    return number


def lines_of(found: Recording, qualname: str) -> dict[int, LineFigures]:
    """The lines of a function, in all processes."""
    return {
        line: figures
        for (_, record, line), figures in found.lines.items()
        if found.records[record].qualname == qualname
    }


def marked(found: Recording) -> dict[str, LineFigures]:
    """Those of `lined.py`, by what is written there."""
    path = PROGRAMS / "lined.py"
    lines = lines_of(found, "work")
    return {word: lines[n] for word in ("burn", "nap", "loop", "wait")
            if (n := line_of(path, f"# {word}")) in lines}  # fmt: skip


def run_lined(*words: str) -> list[str]:
    return [sys.executable, "-m", "pyusdt", *words]


@pytest.mark.asan
def test_cpu_time_and_waits_are_of_their_lines(out: Path) -> None:
    argv = run_lined("-o", str(out), str(PROGRAMS / "lined.py"), str(SECONDS), "100")
    subprocess.run(argv, stdin=subprocess.DEVNULL, env=QUIET, timeout=DEADLINE, check=True)
    found = pyusdt.load(out)
    lines = marked(found)
    ns = int(SECONDS * 1e9)
    assert lines["burn"].charges.cpu_ns > ns // 2
    assert lines["nap"].charges.waits["sleep"] > ns * 0.8
    assert lines["nap"].charges.cpu_ns < ns // 5
    assert "sleep" not in lines["burn"].charges.waits
    assert (lines["loop"].hits, lines["nap"].hits) == (100, 1)
    assert lines["nap"].total_ns == lines["nap"].self_ns >= ns
    (function,) = (f for f in found.functions if f.record.qualname == "work")
    assert function.charges is not None
    work = lines_of(found, "work").values()
    total = sum(it.charges.cpu_ns for it in work)
    assert 0 <= function.charges.cpu_ns - total < ns // 10
    # But for fractions of nanoseconds.
    assert sum(it.self_ns for it in work) == pytest.approx(function.self_ns, abs=len(work))


@pytest.mark.tsan
def test_what_was_flushed_before_a_kill(out: Path) -> None:
    """The line that the program waits at is in it, with the time until then."""
    argv = run_lined("--flush", "0.02", "-o", str(out), str(PROGRAMS / "lined.py"), "0", "1000")
    with Process(argv, env=QUIET) as program:
        program.expect("^ready")
        while (wait := marked(pyusdt.load(out)).get("wait")) is None or not wait.total_ns:
            assert program.child.poll() is None
        later = wait
        while later.total_ns <= wait.total_ns:
            later = marked(pyusdt.load(out))["wait"]
            assert program.child.poll() is None
        os.kill(program.pid, signal.SIGKILL)
        assert program.child.wait(DEADLINE) == -signal.SIGKILL
    lines = marked(pyusdt.load(out))
    assert (lines["loop"].hits, lines["wait"].hits) == (1000, 1)
    assert lines["wait"].total_ns >= later.total_ns


def rounds(times: int) -> None:
    for i in range(times):
        abs(i)  # round


def test_each_of_two_recordings_has_its_own() -> None:
    libpyusdt.lines_mark(rounds.__code__, globals())
    line = line_of(Path(__file__), "abs(i)  # " + "round")
    with pyusdt.record() as outer:
        rounds(3)
        with pyusdt.record() as inner:
            rounds(20)
        rounds(100)
    rounds(1000)
    hits = [lines_of(it, "rounds")[line].hits for it in (outer.recording, inner.recording)]
    assert hits == [123, 20]


def test_a_recording_that_is_entered_again_adds_up() -> None:
    libpyusdt.lines_mark(rounds.__code__, globals())
    line = line_of(Path(__file__), "abs(i)  # " + "round")
    it = pyusdt.record()
    for times in (3, 20):
        with it:
            rounds(times)
        rounds(1000)
    assert lines_of(it.recording, "rounds")[line].hits == 23


def modules(found: Recording) -> Counter[str]:
    return Counter(found.records[record].module for _, record, _ in found.lines)


@pytest.mark.parametrize("patterns", ["__main__:work", "*"])
def test_lines_of_a_running_process(target: Program, out: Path, patterns: str) -> None:
    do(target, "work", 1000)
    with recording(target, out, "--lines", patterns) as process:
        do(target, "work", 7)
        stop(process)
    do(target, "work", 1000)
    found = pyusdt.load(out)
    line = line_of(PROGRAMS / "target.py", "        leaf()")
    figures = lines_of(found, "work")[line]
    assert figures.hits == 7
    assert figures.total_ns > figures.self_ns > 0
    assert set(modules(found)) == {"__main__"}
    assert bool(lines_of(found, "leaf")) == (patterns == "*")


def test_the_next_recording_has_no_lines(target: Program, out: Path) -> None:
    """What an earlier request had does not stay."""
    for words in (["--lines", "all"], []):
        with recording(target, out, *words) as process:
            do(target, "work", 3)
            stop(process)
        assert bool(pyusdt.load(out).lines) == bool(words)


def test_an_older_process_has_no_lines(target: Program, out: Path) -> None:
    with Traced(target.pid) as process, open(f"/proc/{target.pid}/mem", "r+b", 0) as memory:
        memory.seek(process.address + control_layout.Control.version.offset)
        memory.write(b"".join(n.to_bytes(4, sys.byteorder) for n in (5, control_layout.SIZES[5])))
    said = refused("-p", target.pid, "-o", out, "--lines", "*")
    assert said.startswith(f"process {target.pid} has an older pyusdt, which records no lines")
    assert not out.exists()


def test_patterns_that_are_none(out: Path) -> None:
    said = refused("-p", 1, "-o", out, "--lines", "a:b:c", code=2)
    assert "--lines has more than one colon" in said


def down(n: int, found: list[bytes]) -> None:
    if n:
        down(n - 1, found)  # deeper
    else:
        found.append(libpyusdt.recorded())  # deepest


def test_lines_that_frames_stand_at() -> None:
    """A recursion counts once in what its lines took, while it runs and after it."""
    libpyusdt.lines_mark(down.__code__, globals())
    data: list[bytes] = []
    with pyusdt.record():
        down(20, data)
        data.append(libpyusdt.recorded())
    for counted in data:
        functions: dict[int, FunctionRow] = {}
        counts = unpack(counted, functions)
        (number,) = (row.id for row in functions.values() if row.qualname == "down")
        (total,) = (row for row in counts.totals if row.function == number)
        lines = {row.line: row for row in counts.lines if row.function == number}
        deeper = lines[line_of(Path(__file__), "# " + "deeper")]
        deepest = lines[line_of(Path(__file__), "# " + "deepest")]
        assert (deeper.hits, deepest.hits) == (20, 1)
        assert 0 < deepest.total < deeper.total <= total.total
        assert sum(row.own for row in lines.values()) <= total.own


SHORT_THREADS = """\
import threading

def short():
    total = 0
    for i in range(10):
        total += sum(range(20_000))  # hot
    return total

for _ in range(40):
    thread = threading.Thread(target=short)
    thread.start()
    thread.join()
"""


def test_cpu_time_of_threads_too_short_for_a_look_is_that_of_their_lines(
    tmp_path: Path, out: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SHORT_THREADS)
    argv = [sys.executable, "-m", "pyusdt", "-o", out, "--lines", "__main__", script]
    environ = environment(PYUSDT_VERBOSE="0", PYUSDT_SAMPLE_MSEC="1000")
    subprocess.run(argv, env=environ, check=True, timeout=DEADLINE)
    found = pyusdt.load(out)
    hot = lines_of(found, "short")[line_of(script, "# hot")]
    (function,) = (f for f in found.functions if f.record.name == "short")
    assert hot.charges.cpu_ns >= 0.8 * (function.cpu_ns or 0) > 0
