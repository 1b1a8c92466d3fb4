# SPDX-License-Identifier: Apache-2.0
"""`python -m pyusdt -o FILE program`: a whole run, however it ends, with what it starts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness import DEADLINE, ROOT, Program

import pyusdt
from pyusdt.recording import Recording

from .recorded import SLICE_NS, calls, threads_are_as_long_as_their_trees

PROGRAM = Path(__file__).parent / "programs" / "endings.py"


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out.pyusdt"


def run(out: Path, *words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pyusdt", "-o", str(out), *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def leaves(recording: Recording) -> int:
    return calls(recording, "__main__").get("leaf", 0)


def reasons(recording: Recording) -> list[str | None]:
    return sorted(process.reason or "" for process in recording.processes)


@pytest.mark.parametrize(
    ("ending", "code", "reason"),
    [
        ("plain", 0, "exit"),
        ("exit", 7, "exit"),
        ("message", 1, "exit"),
        ("raise", 1, "exit"),
        ("_exit", 9, "os._exit"),
        ("interrupt", -signal.SIGINT, "exit"),
    ],
)
def test_however_it_ends(out, ending, code, reason):
    done = run(out, PROGRAM, ending, code=code)
    recording = pyusdt.load(out)
    assert leaves(recording) == 1000
    assert reasons(recording) == [reason]
    assert recording.losses == {}
    # The program's own words are what they are without us, and the last line is ours.
    plain = subprocess.run([sys.executable, PROGRAM, ending], capture_output=True, text=True)
    *before, last, rest = done.stderr.split("\n")
    assert (done.stdout, "\n".join([*before, ""])) == (plain.stdout, plain.stderr)
    assert (last, rest) == (f"pyusdt: {out}: recorded; to look into it: pyusdt report {out}", "")


def test_what_is_done_at_exit_is_recorded(out):
    run(out, PROGRAM, "in_exit")
    recording = pyusdt.load(out)
    assert leaves(recording) == 1000 + 50 + 500
    assert len(recording.threads) == 2
    threads_are_as_long_as_their_trees(recording, SLICE_NS)


def launched(out: Path, *words: str | Path) -> Program:
    return Program("-m", "pyusdt", "-o", out, *words)


def wait_until_caught(pid: int, number: int) -> None:
    """Once the program has the default again, the core's handler is back at its next look."""
    status = Path(f"/proc/{pid}/status")
    caught = 0
    while not caught & 1 << number - 1:
        caught = int(re.search(r"SigCgt:\s*(\w+)", status.read_text())[1], 16)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("ending", ["wait", "default_again"])
def test_a_signal_that_ends_it(out, ending, number):
    with launched(out, PROGRAM, ending) as program:
        program.expect("^ready")
        wait_until_caught(program.pid, number)
        program.child.send_signal(number)
        assert program.child.wait(DEADLINE) == -number
        program.wait()
        assert "signals False" not in program.output
    recording = pyusdt.load(out)
    assert leaves(recording) == 1000
    assert reasons(recording) == [number.name]
    threads_are_as_long_as_their_trees(recording, SLICE_NS)


def test_the_programs_own_handler(out):
    with launched(out, PROGRAM, "handler") as program:
        program.expect("^ready")
        program.child.send_signal(signal.SIGTERM)
        assert program.wait() == 4
    assert leaves(pyusdt.load(out)) == 1003


def test_a_signal_that_the_program_ignores(out):
    with launched(out, PROGRAM, "ignore") as program:
        program.expect("^ready")
        program.child.send_signal(signal.SIGTERM)
        program.send("go on")
        assert program.wait() == 0
    assert leaves(pyusdt.load(out)) == 1005


def test_flush(out):
    """What was written before kill -9 is there."""
    with launched(out, "--flush=0.05", PROGRAM, "wait") as program:
        program.expect("^ready")
        while leaves(pyusdt.load(out)) != 1000:
            assert program.child.poll() is None
        program.child.kill()
        program.wait()
    recording = pyusdt.load(out)
    assert leaves(recording) == 1000
    (process,) = recording.processes
    assert process.ended_ns is None
    threads_are_as_long_as_their_trees(recording, SLICE_NS)


def test_killed_without_flush(out):
    run(out, PROGRAM, "kill", code=-signal.SIGKILL)
    (process,) = pyusdt.load(out).processes  # the file is there, and tells of the process
    assert (process.ended_ns, process.reason) == (None, "killed")


def test_forked_children(out):
    run(out, PROGRAM, "fork", "fork_that_returns", code=0)
    recording = pyusdt.load(out)
    assert leaves(recording) == 1000 + 10 + 100 + 10
    assert reasons(recording) == ["exit", "exit", "os._exit", "os._exit"]
    assert len({process.pid for process in recording.processes}) == 4


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(out, method):
    assert run(out, PROGRAM.with_name("pools.py"), method).stderr.count("recorded") == 1
    assert calls(pyusdt.load(out), "endings")["leaf"] == 1000 + 10 + 20 + 30 + 40


def test_subprocesses(out):
    run(out, PROGRAM, "subprocesses")
    recording = pyusdt.load(out)
    assert leaves(recording) == 1000 + 1000 + 7 + 1
    assert len(recording.processes) == 4  # not of a verb


def test_ten_processes_of_which_two_are_killed(out):
    with launched(out, "--flush", "0.05", PROGRAM.with_name("ten.py")) as program:
        program.expect("^started")
        wanted = sum(100 + i for i in range(10))
        while calls(pyusdt.load(out), "endings").get("leaf") != wanted:
            assert program.child.poll() is None
        recording = pyusdt.load(out)
        waiting = [
            p.pid for p in recording.processes if p.ended_ns is None and p.pid != program.pid
        ]
        assert len(waiting) == 2
        for pid in waiting:
            os.kill(pid, signal.SIGKILL)
        program.expect(re.escape(f"ended {[-9] * 2 + [0] * 8}"))
        assert program.wait() == 0
    recording = pyusdt.load(out)
    assert calls(recording, "endings")["leaf"] == wanted
    assert len(recording.processes) == 11
    assert sorted(p.pid for p in recording.processes if p.ended_ns is None) == sorted(waiting)


def test_a_module_and_a_filter(out, tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(
        "import json, package.part\npackage.part.leaf()\njson.dumps({1: [2]}, indent=1)\n"
    )
    (tmp_path / "package" / "part.py").write_text("def leaf(): pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pyusdt", "-o", out, "--exclude=json", "--only", "package,json",
         "--c-calls", "-m", "package"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    recording = pyusdt.load(out)
    assert calls(recording, "package.part") == {"<module>": 1, "leaf": 1}
    assert {record.module for record in recording.records} <= {"package.part", "package"}


def test_c_calls(out):
    run(out, "--c-calls", "-c", "for i in range(5): len('')")
    assert calls(pyusdt.load(out), "builtins")["len"] == 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o"], "option '-o' needs a value"),
        (["-o", ""], "option '-o' needs the name of a file"),
        (["-o", "x", "--flush=soon", "p.py"], "option '--flush=soon' needs a number of seconds"),
        (["--flush=1", "p.py"], "option '--flush' is about a recording: give -o FILE too"),
        (["--c-calls", "p.py"], "option '--c-calls' is about a recording: give -o FILE too"),
        (["-o", "x", "--times=exactly", "p.py"], "option '--times' is exact or sampled, not 'exac"),
        (["--times=sampled", "p.py"], "option '--times' is about a recording: give -o FILE too"),
        (["--no-children", "p.py"], "option '--no-children' is about a recording: give -o FILE"),
        (["--max-nodes=9", "p.py"], "option '--max-nodes' is about a recording: give -o FILE"),
        (["-o", "x", "--max-nodes", "0", "p.py"], "option '--max-nodes' needs a number above 0"),
        (["-o", "x", "--max-nodes=1e6", "p.py"], "option '--max-nodes' needs a number above 0"),
        (["-o", "x", "--max-nodes=" + "9" * 30, "p.py"], "option '--max-nodes' needs a number"),
        (["-o", "x", "--c-call", "p.py"], "unknown option '--c-call'; did you mean '--c-calls'?"),
        (["-o", "x", "--only", "a,,b", "p.py"], "option '--only' has an empty pattern"),
        (["-o", "x"], "name the program to run"),
    ],
)
def test_mistakes(tmp_path, words, message):
    done = subprocess.run(
        [sys.executable, "-m", "pyusdt", *words], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith(f"pyusdt: {message}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_cannot_be_written(tmp_path):
    """The program is not run."""
    done = run(tmp_path / "no" / "out.pyusdt", "-c", "print('ran')", code=1)
    assert done.stdout == ""
    assert re.fullmatch(r"pyusdt: .*no such file or directory\n", done.stderr)
    other = tmp_path / "other"
    other.write_text("mine")
    done = run(other, "-c", "print('ran')", code=1)
    assert done.stderr == f"pyusdt: {other}: not a recording of pyusdt\n"
    assert other.read_text() == "mine"


def test_a_child_that_cannot_join_goes_on(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "import pyusdt; print('ran')"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYUSDT_RECORDING": "/no/such/place",
             "PYUSDT_RUN": "0123456789abcdef"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert re.fullmatch(r"pyusdt: /no/such/place: .*; this process, \d+, is not recorded\n",
                        done.stderr)  # fmt: skip
