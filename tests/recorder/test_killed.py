# SPDX-License-Identifier: Apache-2.0
"""A process that is killed: what it has flushed is there, and the report says what is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness import DEADLINE, Process, environment

import pyusdt
from pyusdt.recording import Recording
from pyusdt.recording.records import Process as Row
from pyusdt.report.killed import lines
from pyusdt.report.killed import processes as killed_processes

from .recorded import calls

PROGRAM = Path(__file__).parent / "programs" / "ended.py"


def killed(out: Path, *options: str, flushed: bool) -> tuple[int, Recording]:
    """The pid of a program that was killed, after a flush if it is to be, and what it has left."""
    argv = [sys.executable, "-m", "pyusdt", "-o", str(out), *options, str(PROGRAM), "wait"]
    with Process(argv, env=environment()) as program:
        program.expect("^ready")
        while flushed and calls(pyusdt.load(out), "__main__").get("leaf", 0) != 1000:
            assert program.child.poll() is None
        (process,) = pyusdt.load(out).processes
        assert (process.ended_ns, process.reason) == (None, None)
        os.kill(program.pid, signal.SIGKILL)
        assert program.child.wait(DEADLINE) == -signal.SIGKILL
        return program.pid, pyusdt.load(out)


def report(out: Path, *options: str) -> str:
    """With one space between two words."""
    argv = [sys.executable, "-m", "pyusdt", "report", str(out), *options]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split())


def said(out: Path, pid: int) -> str:
    """What the table and the page both say."""
    text = report(out)
    assert "still running" not in text
    note = re.search(rf"note: process {pid} was killed.*?(--flush|start\))", text)
    assert note, text
    page = out.with_suffix(".html")
    report(out, "-o", str(page))
    assert note[0] in page.read_text()
    return note[0].removeprefix(f"note: process {pid} was killed")


@pytest.mark.parametrize("finished", [False, True])
def test_it_flushed(tmp_path: Path, finished: bool) -> None:
    out = tmp_path / "out.pyusdt"
    pid, recording = killed(out, "--flush=0.2", flushed=True)
    if finished:
        pyusdt.recording.run.finish(str(out))
        assert os.listdir(tmp_path) == [out.name]
        recording = pyusdt.load(out)
    (process,) = recording.processes
    assert (process.ended_ns, process.reason, process.flush_ns) == (None, "killed", 200_000_000)
    assert calls(recording, "__main__")["leaf"] == 1000
    last = (process.updated_ns - process.started_ns) / 1e9
    assert said(out, pid) == (
        "; about 0.3 s at its end, or less, are not recorded"
        f" (last flush {last:.2f} s after its start)"
    )
    (it,) = json.loads(report(out, "-f", "json"))["killed"]
    last_ns = process.updated_ns - process.started_ns
    assert it == {"pid": pid, "last_ns": last_ns, "lost_ns": 300_000_000}


def test_before_its_first_flush(tmp_path: Path) -> None:
    out = tmp_path / "out.pyusdt"
    pid, recording = killed(out, "--flush=600", flushed=False)
    assert not recording.functions
    (it,) = killed_processes(recording)
    assert it == (pid, None, 600_100_000_000)
    (line,) = lines(recording)
    assert line.endswith(" was killed before its first flush; nothing of it is recorded")


def test_it_never_flushed(tmp_path: Path) -> None:
    out = tmp_path / "out.pyusdt"
    pid, recording = killed(out, flushed=False)
    assert killed_processes(recording) == [(pid, None, None)]
    (line,) = lines(recording)
    assert line.endswith(" was killed; nothing of it is recorded: record with --flush")
    argv = [sys.executable, "-m", "pyusdt", "report", str(out)]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"nothing recorded: process {pid} was killed before it was written;" in done.stderr


def test_the_report_lists_some_of_many() -> None:
    some = [Row(i, 100 + i, reason="killed", started_ns=1, updated_ns=2) for i in range(9)]
    recording = Recording([], some, [], {}, {})
    assert len(killed_processes(recording)) == 9
    *_, last = lines(recording)
    assert last == "note: 3 more processes were killed: pyusdt report -f json lists all"
    assert len(lines(recording)) == 7
