# SPDX-License-Identifier: Apache-2.0
"""A run's file and its parts, between processes that come and go."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import ROOT

import pyusdt
from pyusdt.recording import run, store
from pyusdt.rundir import RunDirectory


@pytest.fixture
def out(tmp_path: Path) -> str:
    return str(tmp_path / "out.pyusdt")


def child_in(it: RunDirectory) -> int:
    """A process that has recorded to the run, and is gone; its pid."""
    code = f"""
import os
from pyusdt import libpyusdt as core, rundir
it = rundir.join({it.path!r}, {it.token!r})
place = os.fsencode(it.directory), it.device, it.inode
save = core.save_begin(1, *place, rundir.about(), b"", b"", 0)
core.save_end(save, "exit", False)
print(os.getpid())
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def pids(path: str) -> set[int]:
    return {process.pid for process in pyusdt.load(path).processes}


def test_what_another_process_has_moved_into_the_file_stays(
    out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It did so between our reading of the file and the lock."""
    it, _ = run.begin(out)
    one = child_in(it)
    opened, others = run.opened, [None]

    @contextmanager
    def late(path: str, name: str, token: str) -> Iterator[int]:
        if others:
            others.pop()
            subprocess.run(
                [sys.executable, "-c", f"from pyusdt.recording import run; run.finish({out!r})"],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                check=True,
            )
        with opened(path, name, token) as directory:
            yield directory

    monkeypatch.setattr(run, "opened", late)
    run.finish(out)
    monkeypatch.undo()
    run.finish(out)
    assert pids(out) == {one}


def test_a_run_whose_file_another_one_has_replaced(out: str) -> None:
    """It leaves that alone, and nothing of its own behind."""
    old, _ = run.begin(out)
    child_in(old)
    os.rename(old.directory, f"{old.directory}.away")  # or the next one would remove it
    new, _ = run.begin(out)
    os.rename(f"{old.directory}.away", old.directory)
    one = child_in(new)
    assert run.finish(out, run=old) is None
    assert not os.path.exists(old.directory)
    assert os.listdir(new.directory)
    assert run.finish(out, run=new) == 0
    assert pids(out) == {one}


def test_an_end_that_is_written_after_the_part_was_read(
    out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a process that is gone when we look for it."""
    it, _ = run.begin(out)
    child_in(it)
    read, times = run.read, []

    def too_early(name: str, directory: int) -> object:
        part = read(name, directory)
        assert part
        times.append(time.monotonic_ns())
        if len(times) == 1:
            part.process = run.replace(part.process, ended_ns=None, reason=None)
        return part

    monkeypatch.setattr(run, "read", too_early)
    run.finish(out)
    monkeypatch.undo()
    (process,) = pyusdt.load(out).processes
    assert process.reason == "exit"
    assert len(times) == 2


def test_a_part_that_is_being_written(out: str) -> None:
    """Its directory stays, and the file names it."""
    it, _ = run.begin(out)
    child_in(it)
    new = os.path.join(it.directory, "00.part.new")
    open(new, "wb").close()
    run.finish(out)
    with store.opened(out) as file:
        assert store.identity(file) == (it.token, os.path.basename(it.directory))
    os.utime(new, (0, 0))  # as one that was left there
    run.finish(out)
    assert not os.path.exists(it.directory)


def test_load_begins_anew_where_the_file_is_replaced(
    out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    it, _ = run.begin(out)
    one = child_in(it)
    processes_in, times = run.processes_in, []

    def late(directory: int) -> object:
        times.append(directory)
        if len(times) == 1:
            monkeypatch.undo()
            run.finish(out)
        return processes_in(directory)

    monkeypatch.setattr(run, "processes_in", late)
    assert pids(out) == {one}
