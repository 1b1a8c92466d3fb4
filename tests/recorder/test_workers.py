# SPDX-License-Identifier: Apache-2.0
"""`pyusdt.record()` in a program whose work is done by other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import DEADLINE, ROOT

import pyusdt

from .recorded import calls

PROGRAM = Path(__file__).parent / "programs/workers.py"
METHODS = ["fork", "spawn", "forkserver"]


def run(directory: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM, *words],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def works(directory: Path) -> int:
    """How often work() was called in the recording."""
    recording = pyusdt.load(directory / "out.pyusdt")
    return sum(calls(recording, module).get("work", 0) for module in ("__main__", "workers"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("what", ["pool", "processes", "executor"])
def test_workers_of_a_block(tmp_path: Path, what: str, method: str) -> None:
    run(tmp_path, "flushed" if what == "processes" else "block", what, method)
    assert works(tmp_path) == 40


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("what", ["pool", "executor"])
def test_workers_that_run_a_decorated_function(
    tmp_path: Path, what: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call counts once, and the next run begins anew: also where both have been started by one
    program with workers of its own."""
    monkeypatch.setenv("PYUSDT_ROOT", "0123456789abcdef")
    for _ in range(2):
        run(tmp_path, "decorated", what, method)
        assert works(tmp_path) == 40


def test_pythons_that_a_block_starts(tmp_path: Path) -> None:
    run(tmp_path, "block", "python", "-")
    assert works(tmp_path) == 40


NESTED = """
import os, subprocess, sys
import pyusdt

CHILD = "def work(): pass\\nfor _ in range(%d): work()"

def start(n):
    subprocess.run([sys.executable, "-c", CHILD % n], check=True)

def fork(n):
    if os.fork() == 0:
        names = {}
        exec(CHILD % n, {"__name__": "__main__"})
        os._exit(0)
    os.wait()

start(1)
with pyusdt.record("inner"):
    start(2)
    fork(4)
    with pyusdt.record("innermost"):
        start(8)
    start(16)
    overlapping = pyusdt.record("overlapping")
    overlapping.__enter__()
    start(32)
start(64)
overlapping.__exit__(None, None, None)
start(128)
fork(256)
"""


def test_nested_recordings_have_the_children_of_their_time(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(NESTED)
    subprocess.run(
        [sys.executable, "-m", "pyusdt", "-o", "outer", "program.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=DEADLINE,
        check=True,
    )
    found = {
        name: calls(pyusdt.load(tmp_path / name), "__main__").get("work", 0)
        for name in ("outer", "inner", "innermost", "overlapping")
    }
    assert found == {"outer": 511, "inner": 62, "innermost": 8, "overlapping": 96}


def test_a_recorded_program_that_records_another_one(tmp_path: Path) -> None:
    (tmp_path / "inner.py").write_text("def work(): pass\nfor _ in range(3): work()")
    words = [sys.executable, "-m", "pyusdt", "-o"]
    source = f"import subprocess; subprocess.run({[*words, 'inner', 'inner.py']!r}, check=True)"
    (tmp_path / "outer.py").write_text(source)
    subprocess.run(
        [*words, "outer", "outer.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=DEADLINE,
        check=True,
    )
    for name, processes in (("inner", 1), ("outer", 2)):
        recording = pyusdt.load(tmp_path / name)
        assert (calls(recording, "__main__")["work"], len(recording.processes)) == (3, processes)
