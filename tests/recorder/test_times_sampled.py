# SPDX-License-Identifier: Apache-2.0
"""Recordings whose calls are counted without a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from harness import ROOT

import pyusdt
from pyusdt import libpyusdt as core
from pyusdt.recording.counts import HEAD

from .recorded import called, calls, contexts, counts, leaf, work

TIMES_SAMPLED = 2
PROGRAM = """
import subprocess, sys
def leaf(): pass
for _ in range(int(sys.argv[1])): leaf()
if len(sys.argv) > 2: subprocess.run([sys.executable, *sys.argv[2:]], check=True)
"""


def values(n: int):
    for i in range(n):
        leaf()
        yield i


def refuse() -> None:
    leaf()
    raise ValueError("refused")


def everything() -> None:
    work(5)
    list(values(3))
    with pytest.raises(ValueError, match="refused"):
        refuse()


def is_sampled() -> bool:
    """Whether the counts that the core hands over say so."""
    return bool(HEAD.unpack_from(core.recorded())[13] & TIMES_SAMPLED)


def test_every_context_is_as_exact_and_has_no_durations():
    with pyusdt.record(only=[__name__, leaf.__module__], times="sampled") as rec:
        assert is_sampled()
        everything()
    (test,) = contexts(rec.recording, rec.tree).values()
    assert test.below["everything"] == called(
        1,
        work=called(1, leaf=called(5)),
        values=called(1, 3, leaf=called(3)),
        refuse=called(1, errors=1, leaf=called(1)),
    )
    assert {f.p50_ns for f in rec.functions} == {None}
    assert {f.latency(0.99) for f in rec.functions} == {None}


def test_calls_in_c_and_in_other_threads():
    def run() -> None:
        for i in range(7):
            [].append(i)

    with pyusdt.record(times="sampled", c_calls=True) as rec:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        run()
    assert {f.record.qualname: f.calls for f in rec.functions}["list.append"] == 14


def test_who_wants_exact_times_has_them():
    """Beside it, and where it begins and ends meanwhile."""
    with pyusdt.record(times="sampled") as sampled:
        work(1)
        with pyusdt.record() as exact:
            assert not is_sampled()
            work(10)
            time.sleep(0.01)
        assert is_sampled()
        work(100)
    assert (counts(exact)["leaf"], counts(sampled)["leaf"]) == (10, 111)
    (function,) = (f for f in exact.functions if f.record.qualname == "leaf")
    assert 0 < function.self_ns == function.total_ns < 1e9
    assert function.p50_ns
    # What runs when it begins has times from then on.
    assert 10_000_000 <= max(f.total_ns for f in exact.functions) < 10e9
    with pyusdt.record() as exact:
        work(1)
        with pyusdt.record(times="sampled"):
            assert not is_sampled()
            work(10)
    assert counts(exact)["leaf"] == 11
    assert sum(f.self_ns for f in exact.functions) < 60e9  # of frames that were there before, too


def test_a_run_and_what_it_starts(tmp_path):
    """Each process says whose its times are."""
    program, out = tmp_path / "program.py", tmp_path / "out.pyusdt"
    program.write_text(PROGRAM)
    words = ["-o", out, "--times", "sampled", program, "6", program, "5"]
    subprocess.run([sys.executable, "-m", "pyusdt", *words], env=environment(), check=True)
    recording = pyusdt.load(out)
    assert calls(recording, "__main__")["leaf"] == 11
    assert [process.times for process in recording.processes] == ["sampled", "sampled"]
    words = ["report", out, "--format", "json", "-o", "-"]
    shown = subprocess.run(
        [sys.executable, "-m", "pyusdt", *words], env=environment(), capture_output=True, check=True
    )
    assert {process["times"] for process in json.loads(shown.stdout)["processes"]} == {"sampled"}
    assert {f.p50_ns for f in recording.functions} == {None}


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("times", ["", "Exact", "none", 1, None])
def test_there_is_nothing_else(times, tmp_path: Path):
    with pytest.raises(ValueError, match='times is "exact" or "sampled"'):
        pyusdt.record(tmp_path / "out", times=times)
