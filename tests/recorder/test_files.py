# SPDX-License-Identifier: Apache-2.0
"""Recordings that `pyusdt.record` writes."""

from __future__ import annotations

import os
import shutil
import time

import pytest

import pyusdt
from pyusdt.errors import UserError

from .recorded import (
    MODULE,
    SLICE_NS,
    calls,
    counts,
    threads_are_as_long_as_their_trees,
    work,
)


def figures(f):
    return f.record, f.calls, f.resumes, f.errors, f.self_ns, f.total_ns, f.histogram


def test_the_file_has_what_the_object_has(tmp_path):
    path = tmp_path / "out.pyusdt"
    with pyusdt.record(path) as rec:
        assert pyusdt.load(path).empty  # it is there from the start
        work()
    loaded = pyusdt.load(path)
    assert [figures(f) for f in loaded.functions] == [figures(f) for f in rec.functions]
    assert [t.name for t in loaded.threads] == [t.name for t in rec.threads]
    (process,) = loaded.processes
    assert process.pid == os.getpid()
    assert process.reason == "end"
    assert process.ended_ns


def test_a_file_that_is_there_is_replaced_and_added_to_by_the_same_object(tmp_path):
    path = tmp_path / "out.pyusdt"
    with pyusdt.record(path):
        work(1000)
    rec = pyusdt.record(path)
    for _ in range(2):
        with rec:
            work(1)
    assert calls(pyusdt.load(path), MODULE)["leaf"] == 2
    assert len(pyusdt.load(path).processes) == 1


def test_joining_a_recording(tmp_path):
    path = tmp_path / "out.pyusdt"
    with pyusdt.record(path):
        work(10)
    with pyusdt.record(path, join=True):
        work(1)
    assert calls(pyusdt.load(path), MODULE)["leaf"] == 11
    assert len(pyusdt.load(path).processes) == 1


def test_flush(tmp_path):
    path = tmp_path / "out.pyusdt"
    with pyusdt.record(path, flush=0.05):
        work()
        deadline = time.monotonic() + 30
        while calls(pyusdt.load(path), MODULE).get("leaf") != 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        (process,) = pyusdt.load(path).processes
        assert process.ended_ns is None


def test_the_reason_is_the_exception(tmp_path):
    path = tmp_path / "out.pyusdt"
    with pytest.raises(ZeroDivisionError), pyusdt.record(path):
        1 / 0  # noqa: B018
    assert pyusdt.load(path).processes[0].reason == "ZeroDivisionError"


def test_a_path_that_cannot_be_written(tmp_path):
    path = tmp_path / "no such directory" / "out.pyusdt"
    with pytest.raises(UserError, match="no such directory"):
        pyusdt.record(path).__enter__()
    with pyusdt.record() as rec:
        work()
    assert counts(rec)["leaf"] == 3


def test_a_file_that_cannot_be_written_in_the_end(tmp_path, capfd):
    directory = tmp_path / "directory"
    directory.mkdir()
    path = directory / "out.pyusdt"

    def run(raises=None):
        with pyusdt.record(path):
            shutil.rmtree(directory)
            if raises is not None:
                raise raises

    with pytest.raises(UserError, match="no such file or directory"):
        run()
    directory.mkdir()
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError())
    assert capfd.readouterr().err.startswith(f"pyusdt: {path}")


def test_the_childs_recording_is_its_own(tmp_path):
    path = tmp_path / "out.pyusdt"
    with pyusdt.record(path):
        work(1)
        child = os.fork()
        if child == 0:
            work(10)
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        work(100)
    recording = pyusdt.load(path)
    leaves = {}
    for process in recording.processes:
        mine = recording.select(process=lambda p, wanted=process: p is wanted)
        leaves[process.pid] = calls(mine, MODULE)["leaf"]
    assert leaves == {os.getpid(): 101, child: 10}
    assert {p.pid: p.reason for p in recording.processes} == {os.getpid(): "end", child: "os._exit"}
    threads_are_as_long_as_their_trees(recording, SLICE_NS)
