# SPDX-License-Identifier: Apache-2.0
"""Storms over recordings: kills, signals and launches at random moments. What is left is always a
recording, whole or up to the last flush, and never mixed with that of another run."""

from __future__ import annotations

import os
import pty
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from harness import DEADLINE, Process, environment

import pyusdt
from pyusdt.recording import Recording

PROGRAMS = Path(__file__).parent / "programs"
LONG = os.environ.get("LONG", "") not in ("", "0")
KILLS = 500 if LONG else 6
SIGNALS = 300 if LONG else 8
TERMINALS = 100 if LONG else 4
PAIRS = 200 if LONG else 4
ENDERS = 64
LINES = ("--lines", "*")
LATEST = 1.5
"""Seconds within which a storm breaks loose, at random."""
PATIENCE = 8.0
"""Seconds that the end by a signal takes at most."""

pytestmark = [pytest.mark.timeout(7200 if LONG else 300), pytest.mark.thorough]


def command(out: Path, *words: object) -> list[str]:
    return [sys.executable, "-m", "pyusdt", "-o", str(out), *map(str, words)]


def start(out: Path, *words: object) -> Process:
    return Process(command(out, *words), env=environment(), start_new_session=True)


def run(out: Path, *words: object) -> None:
    done = subprocess.run(command(out, *words), env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def reported(out: Path) -> str:
    argv = [sys.executable, "-m", "pyusdt", "report", str(out)]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_sound(out: Path) -> None:
    database = sqlite3.connect(f"{out.as_uri()}?mode=ro&immutable=1", uri=True)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


def left(out: Path) -> Recording:
    """What it is when nobody writes to it any more."""
    end = time.monotonic() + DEADLINE
    while True:
        recording = pyusdt.load(out)
        if all(process.reason for process in recording.processes):
            return recording
        assert time.monotonic() < end, recording.processes


def assert_losses_reported(recording: Recording, report: str) -> None:
    for process in recording.processes:
        said = rf"note: process {process.pid} was killed(;|\s+before its first flush;)\s+"
        assert re.search(rf"{said}(about\s+0\.3\s+s|nothing\s+of\s+it)", report), report


def names(recording: Recording) -> set[str]:
    return {f.record.name for f in recording.functions if f.record.module == ""} | {
        f.record.name for f in recording.functions if f.record.name.startswith("run")
    }


@pytest.fixture
def dice() -> random.Random:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return random.Random(seed)


def test_kills(tmp_path: Path, dice: random.Random) -> None:
    out = tmp_path / "out.pyusdt"
    reports = 0
    for i in range(KILLS):
        with start(out, "--flush=0.2", *LINES, PROGRAMS / "family.py", f"run{i}a") as program:
            time.sleep(dice.uniform(0, LATEST))
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()  # its children have its output
        if out.exists():
            assert_sound(out)
            killed = left(out)
            assert names(killed) <= {f"run{i}a", f"run{i - 1}b"}, names(killed)
            if names(killed) == {f"run{i}a"}:
                assert all(process.ended_ns is None for process in killed.processes)
                assert_losses_reported(killed, reported(out))
                reports += 1
        run(out, *LINES, PROGRAMS / "family.py", f"run{i}b", 50)
        assert_sound(out)
        recording = pyusdt.load(out)
        assert hits(recording, "work") == 5 * 51
        assert recording.source_of(str(PROGRAMS / "family.py"))
        assert names(recording) == {f"run{i}b"}
        assert len(recording.processes) == 5
        assert all(process.ended_ns for process in recording.processes)
        # A run that was killed before its first part has left a directory without one, which the
        # next one takes for one that has just begun.
        assert {file.suffix for file in tmp_path.glob(".out*/*")} <= {".new"}
    print(f"{KILLS} kills, {reports} of them after a flush")


def hits(recording: Recording, name: str) -> int:
    """Of the line of a function that has most."""
    return max(row.hits for row in recording.line_rows if row.record.name == name)


def storm(dice: random.Random) -> Iterable[signal.Signals]:
    kinds = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    return dice.choices(kinds, k=dice.choice((1, 2, 2, 3)))


@pytest.mark.asan
@pytest.mark.tsan
def test_signals(tmp_path: Path, dice: random.Random) -> None:
    out = tmp_path / "out.pyusdt"
    latest = 0.0
    for i in range(SIGNALS):
        with start(out, "--flush=0.1", *LINES, PROGRAMS / "family.py", f"run{i}") as program:
            program.expect("^ready")
            time.sleep(dice.uniform(0, LATEST / 3))
            for number in storm(dice):
                os.killpg(program.pid, number)
                time.sleep(dice.choice((0, 0, 0.002, 0.1)))
            begin = time.monotonic()
            program.wait()  # and for its children, which have its output
            latest = max(latest, time.monotonic() - begin)
        assert_sound(out)
        recording = pyusdt.load(out)
        assert names(recording) == {f"run{i}"}
        assert len(recording.processes) == 5
        assert all(process.ended_ns for process in recording.processes), recording.processes
    assert latest < PATIENCE
    print(f"{SIGNALS} storms of signals; the last to end took {latest:.1f} s")


@pytest.mark.asan
@pytest.mark.tsan
def test_terminals(tmp_path: Path, dice: random.Random) -> None:
    """That of a group is closed: by the kernel's SIGHUP, and mostly that of a shell, too."""
    out = tmp_path / "out.pyusdt"
    latest = 0.0
    for i in range(TERMINALS):
        argv = command(out, "--flush=0.1", PROGRAMS / "family.py", f"run{i}")
        pid, side = pty.fork()
        if pid == 0:
            os.execve(argv[0], argv, environment())
        said = b""
        while b"\nready" not in said:
            said += os.read(side, 4096)
        time.sleep(dice.uniform(0, LATEST / 3))
        begin = time.monotonic()
        if dice.random() < 0.7:
            os.killpg(pid, signal.SIGHUP)
            time.sleep(dice.choice((0, 0, 0.002, 0.1)))
        os.close(side)
        os.waitpid(pid, 0)
        recording = left(out)
        latest = max(latest, time.monotonic() - begin)
        assert_sound(out)
        assert names(recording) == {f"run{i}"}
        assert len(recording.processes) == 5
        assert all(process.ended_ns for process in recording.processes), recording.processes
    assert latest < PATIENCE
    print(f"{TERMINALS} terminals closed; the last to end took {latest:.1f} s")


def test_pairs_of_launches(tmp_path: Path, dice: random.Random) -> None:
    """Neither is refused; the file is that of one of them, whole."""
    for i in range(PAIRS):
        out = tmp_path / f"{i}.pyusdt"
        with start(out, PROGRAMS / "family.py", "run1", 50) as one:
            time.sleep(dice.choice((0, 0, 0.05, 0.3)))
            with start(out, PROGRAMS / "family.py", "run2", 50) as two:
                assert (one.wait(), two.wait()) == (0, 0), one.output + two.output
        assert_sound(out)
        recording = pyusdt.load(out)
        assert names(recording) in ({"run1"}, {"run2"})
        assert len(recording.processes) == 5
    print(f"{PAIRS} pairs of launches, none refused")


def test_many_that_end_together(tmp_path: Path) -> None:
    out = tmp_path / "out.pyusdt"
    run(out, PROGRAMS / "enders.py", ENDERS)
    recording = pyusdt.load(out)
    assert len(recording.processes) == ENDERS + 1
    assert all(process.ended_ns for process in recording.processes)
    (leaf,) = (f for f in recording.functions if f.record.name == "leaf")
    assert leaf.calls == 1000 * ENDERS
