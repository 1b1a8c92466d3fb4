# SPDX-License-Identifier: Apache-2.0
"""`pyusdt record -p PID`: a running process, recorded from outside."""

from __future__ import annotations

import contextlib
import os
import pty
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import DEADLINE, Process, Program, environment

import pyusdt
from pyusdt.errors import UserError
from pyusdt.recording import Recording
from pyusdt.remote import control_layout, control_requests
from pyusdt.remote.attached import Process as Traced
from pyusdt.remote.recording import Options, Outside

from .recorded import calls

TARGET = Path(__file__).parent / "programs/target.py"


QUIET = environment(PYUSDT_VERBOSE="0")


@pytest.fixture
def target() -> Iterator[Program]:
    with Program(TARGET) as program:
        program.expect("^ready")
        yield program


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.pyusdt"


def do(target: Program, what: str, n: int) -> None:
    target.send(f"{what} {n}")
    target.expect(f"^done {what}")


def recorders(pid: int) -> list[str]:
    with Traced(pid) as process:
        return list(process.status()["recorded"])


def until(condition: Callable[[], object]) -> None:
    late = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < late
        time.sleep(0.005)


def recording(target: Program, out: Path, *words: object) -> Process:
    """`pyusdt record`, which has begun."""
    argv = [sys.executable, "-m", "pyusdt", "record", "-p", target.pid, "-o", out, *words]
    process = Process(argv, env=QUIET)
    until(lambda: recorders(target.pid) == ["outside"] or process.child.poll() is not None)
    return process


def stop(process: Process, code: int = 0) -> str:
    process.child.send_signal(signal.SIGINT)
    assert process.wait() == code, process.output
    return process.output


def refused(*words: object, code: int = 1) -> str:
    """The one line that `pyusdt record` says."""
    argv = [sys.executable, "-m", "pyusdt", "record", *words]
    done = subprocess.run(
        [*map(str, argv)], capture_output=True, text=True, timeout=DEADLINE, env=QUIET
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("pyusdt: ") and done.stderr.count("\n") == 1
    return done.stderr.removeprefix("pyusdt: ").rstrip("\n")


def test_until_ctrl_c(target, out):
    do(target, "work", 1000)
    with recording(target, out) as process:
        do(target, "work", 7)
        do(target, "thread", 5)
        said = stop(process)
    do(target, "work", 1000)
    assert said == f"{out}: recorded; to look into it: pyusdt report {out}\n"
    found = pyusdt.load(out)
    counted = calls(found, "__main__")
    assert (counted["leaf"], counted["work"], counted["thread"]) == (12, 2, 1)
    assert counted["answer"] == 0  # it was there before
    assert {thread.name for thread in found.threads} == {"MainThread", "helper"}
    assert [(step.name, step.count) for step in found.steps] == [("round", 12)]
    assert found.losses == {}
    (process,) = found.processes
    assert (process.pid, process.parent_pid) == (target.pid, os.getpid())
    assert str(TARGET) in process.command
    assert process.python == ".".join(map(str, sys.version_info[:3]))
    assert process.reason == "end"
    assert process.started_ns < process.ended_ns
    assert [f.name for f in out.parent.iterdir()] == [out.name]


def test_nothing_stays_behind_in_the_process(target, out):
    descriptors = os.listdir(f"/proc/{target.pid}/fd")
    assert refused("-p", target.pid, "-d", "0", "-o", out, code=2)
    with recording(target, out, "-d", "0.01") as process:
        assert process.wait() == 0
    assert recorders(target.pid) == []
    until(lambda: not status(target.pid)["events_on"])
    assert status(target.pid)["tool_id"] is None
    assert os.listdir(f"/proc/{target.pid}/fd") == descriptors


def status(pid: int) -> control_layout.Status:
    with Traced(pid) as process:
        return process.status()


def test_for_some_seconds_and_what_is_asked_for(target, out):
    out.write_bytes(b"")
    assert refused("-p", target.pid, "-o", out) == f"{out}: not a recording: the file is empty"
    out.unlink()
    words = "--only", "__main__", "--exclude", "*:work", "--c-calls", "--max-nodes", "1000"
    with recording(target, out, *words) as process:
        do(target, "work", 3)
        stop(process)
    assert calls(pyusdt.load(out), "__main__") == {"leaf": 3, "answer": 0, "<module>": 0}
    with recording(target, out, "--c-calls", "--times", "sampled") as process:
        do(target, "work", 3)
        stop(process)
    assert calls(pyusdt.load(out), "builtins")["len"] == 1
    assert calls(pyusdt.load(out), "__main__")["work"] == 1
    assert {f.p50_ns for f in pyusdt.load(out).functions} == {None}


def test_the_programs_own_recordings_meanwhile(target, out):
    with recording(target, out) as process:
        target.send("inside 11")
        assert target.expect(r"^inside (\d+)")[1] == "11"
        target.expect("^done")
        do(target, "work", 4)
        until(lambda: recorders(target.pid) == ["outside"])
        stop(process)
    counted = calls(pyusdt.load(out), "__main__")
    assert (counted["leaf"], counted["work"], counted["inside"]) == (15, 2, 1)


def children(target: Program) -> list[int]:
    return [int(pid) for pid in target.expect(r"^child(?:ren)? ([\d ]+)")[1].split()]


def are_read(pids: list[int]) -> None:
    """Each has handed over its counts once more, and the second time the first ones were read."""
    for _ in range(2):
        for pid in pids:
            with Traced(pid) as traced:
                before = traced._snapshot().answered
                until(lambda t=traced, before=before: t._snapshot().answered != before)


def test_children_by_fork_from_their_beginning(target, out):
    """Also where they begin before, and one that a child begins."""
    target.send("fork 1000")
    (early,) = children(target)
    with recording(target, out) as process:
        until(lambda: recorders(early) == ["outside"])
        for n in range(20):
            target.send(f"fork {n}")
        begun = [children(target)[0] for _ in range(20)]
        do(target, "work", 4)
        assert stop(process) == f"{out}: recorded; to look into it: pyusdt report {out}\n"
    assert not [pid for pid in [target.pid, early, *begun] if recorders(pid)]
    do(target, "release", 0)
    found = pyusdt.load(out)
    assert calls(found, "__main__")["leaf"] == 4 + sum(range(20))
    first, *others = found.processes
    assert first.pid == target.pid and {p.pid for p in others} == {early, *begun}
    assert {p.parent_pid for p in others} == {target.pid}
    assert {p.reason for p in found.processes} == {"end"}
    assert [p.pid for p in others if not p.forked] == [early]


def test_children_that_end_meanwhile(target, out):
    with recording(target, out) as process:
        target.send("fork 100")
        pids = children(target)
        until(lambda: recorders(pids[0]) == ["outside"])
        are_read(pids)
        do(target, "release", 0)
        until(lambda: not os.path.exists(f"/proc/{pids[0]}"))
        time.sleep(1)
        do(target, "work", 4)
        said = stop(process)
    assert "processes whose last counts could not be read: 1; they lack at most 0." in said
    found = pyusdt.load(out)
    assert calls(found, "__main__")["leaf"] == 104
    assert [p.ended_ns is None for p in found.processes] == [False, True]


def test_a_python_that_the_process_starts(target, out):
    with recording(target, out) as process:
        target.send("start 0")
        pids = children(target)
        until(lambda: recorders(pids[0]) == ["outside"])
        do(target, "tell", 33)
        stop(process)
    found = pyusdt.load(out)
    assert calls(found, "__main__")["leaf"] == 33
    assert [p.forked for p in found.processes] == [False, False]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing(target, out, method):
    with recording(target, out) as process:
        target.send(f"pool {method}")
        pids = children(target)
        until(lambda: all(recorders(pid) == ["outside"] for pid in pids))
        do(target, "share", 50)
        stop(process)
    do(target, "end_pool", 0)
    found = pyusdt.load(out)
    assert calls(found, "__main__")["leaf"] == 50
    assert {*pids} <= {p.pid for p in found.processes}


def test_a_child_that_cannot_be_recorded(target, out):
    """It is named, and the others are recorded."""
    for n in (5, 6):
        target.send(f"fork {n}")
    bad, good = children(target)[0], children(target)[0]
    with Traced(bad) as process, open(f"/proc/{bad}/mem", "r+b", 0) as memory:
        memory.seek(process.address + control_layout.Control.version.offset)
        memory.write((99).to_bytes(4, sys.byteorder))
    with recording(target, out) as process:
        until(lambda: recorders(good) == ["outside"])
        time.sleep(0.3)
        said = stop(process)
    do(target, "release", 0)
    assert f"processes that are not recorded: 1, as in: process {bad} has a newer pyusdt" in said
    assert {p.pid for p in pyusdt.load(out).processes} == {target.pid, good}


def test_children_that_are_not_wanted(target, out):
    with recording(target, out, "--no-children") as process:
        target.send("fork 100")
        pids = children(target)
        time.sleep(0.5)
        stop(process)
    do(target, "release", 0)
    assert [p.pid for p in pyusdt.load(out).processes] == [target.pid]
    assert pids


def test_the_child_of_a_process_records_no_longer_than_the_lease(target):
    options = control_requests.record_options(max_nodes=9, c_calls=False, lease_msec=1500)
    with Traced(target.pid, write=True) as process:
        process.record(control_layout.RECORD_START, {"record_options": options})
        target.send("fork 3")
        (child,) = children(target)
        assert recorders(child) == ["outside"]
        until(lambda: recorders(child) == [])
    do(target, "release", 0)


def test_somebody_else_records(target, out, tmp_path):
    with recording(target, out) as process:
        said = refused("-p", target.pid, "-o", tmp_path / "other.pyusdt")
        assert said == f"process {target.pid} refused: another `pyusdt record` is recording it"
        do(target, "work", 2)
        stop(process)
    assert calls(pyusdt.load(out), "__main__")["leaf"] == 2
    assert [f.name for f in out.parent.iterdir()] == [out.name]


def test_the_process_is_killed_meanwhile(target, out):
    with recording(target, out) as process:
        do(target, "work", 6)
        with Traced(target.pid) as traced:
            for _ in range(2):  # the second time the first one has been read
                before = traced._snapshot().answered
                until(lambda before=before: traced._snapshot().answered != before)
        target.child.kill()
        target.child.wait()
        assert process.wait() == 1
    said = f"pyusdt: process {target.pid} has ended; {out} has what was recorded in "
    assert process.output.startswith(said)
    assert process.output.count("\n") == 1
    found = pyusdt.load(out)
    assert calls(found, "__main__")["leaf"] == 6
    assert found.processes[0].ended_ns is None


def test_the_process_ends_meanwhile(target):
    with Outside(target.pid, Options()) as outside:
        do(target, "work", 6)
        outside.update()
        assert target.wait() == 0
        with pytest.raises(UserError, match=r"there is no process|has ended"):
            outside.update()
        recorded = Recording.from_snapshot(outside.snapshot())
    assert calls(recorded, "__main__")["leaf"] == 6


def test_who_records_is_gone(target, out):
    """The process does not go on for ever, and the next one may record it."""
    options = control_requests.record_options(max_nodes=9, c_calls=False, lease_msec=500)
    with Traced(target.pid, write=True) as process:
        process.record(
            control_layout.RECORD_START | control_layout.RECORD_COUNTS, {"record_options": options}
        )
        until(lambda: recorders(target.pid) == [])
        assert process._snapshot().counts == (0, 0)
        with pytest.raises(UserError, match="refused: it is not being recorded any more"):
            process.record(control_layout.RECORD_COUNTS)
    with recording(target, out) as process:
        do(target, "work", 1)
        stop(process)
    assert calls(pyusdt.load(out), "__main__")["leaf"] == 1


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"max_nodes": 0}, "max_nodes, c_calls or lease_msec is out of bounds"),
        ({"lease_msec": 0}, "max_nodes, c_calls or lease_msec is out of bounds"),
        ({"only": "a,,b"}, "only has an empty pattern"),
    ],
)
def test_options_that_are_refused(target, wish, why):
    good = {"max_nodes": 9, "c_calls": False, "lease_msec": 1000}
    with Traced(target.pid, write=True) as process:
        with pytest.raises(UserError, match=why):
            process.record(
                control_layout.RECORD_START,
                {"record_options": control_requests.record_options(**good | wish)},
            )
        with pytest.raises(UserError, match="an action that is not known"):
            process.record(
                8 | control_layout.RECORD_START,
                {"record_options": control_requests.record_options(**good)},
            )
        assert process.status()["recorded"] == []


def test_garbage_harms_nobody(target, out):
    chance = random.Random(7)
    with Traced(target.pid, write=True) as process:
        for i in range(40):
            options = bytearray(chance.randbytes(control_layout.Control.record_options.size))
            if i % 2:  # as good as can be, but for the patterns
                options[:16] = control_requests.record_options(
                    max_nodes=9, c_calls=True, lease_msec=1
                )[:16]
            with contextlib.suppress(UserError):
                process.record(
                    chance.randrange(2**32) if i % 4 == 0 else i % 8,
                    {"record_options": bytes(options), "record_memory": chance.randbytes(8)},
                )
        until(lambda: recorders(target.pid) == [])
    with recording(target, out) as recorder:
        do(target, "work", 3)
        stop(recorder)
    assert calls(pyusdt.load(out), "__main__")["leaf"] == 3


def test_a_process_with_an_older_pyusdt(target, out):
    """Version 1 of the control struct ends where recording begins."""
    with Traced(target.pid) as process, open(f"/proc/{target.pid}/mem", "r+b", 0) as memory:
        memory.seek(process.address + control_layout.Control.version.offset)
        memory.write(b"".join(n.to_bytes(4, sys.byteorder) for n in (1, control_layout.SIZES[1])))
    assert status(target.pid)["recorded"] == []
    with Traced(target.pid, write=True) as process:
        assert process.change(control_requests.request(only="x"))["only"] == "x"
    said = refused("-p", target.pid, "-o", out)
    assert said.startswith(f"process {target.pid} has an older pyusdt (control version 1), which")


def test_processes_that_cannot_be_recorded(out):
    with Process([sys.executable, "-c", "input()"]) as bare:
        said = refused("-p", bare.pid, "-o", out)
        assert said == f"process {bare.pid} has not loaded pyusdt: it has to import it"
    assert refused("-p", bare.pid, "-o", out) == f"there is no process {bare.pid}"
    assert not out.exists()


def test_an_output_that_cannot_be_written(target, tmp_path):
    out = tmp_path / "no such directory" / "out.pyusdt"
    assert refused("-p", target.pid, "-o", out) == f"{out}: no such file or directory"
    notes = tmp_path / "notes"
    notes.write_text("mine")
    assert refused("-p", target.pid, "-o", notes).startswith(f"{notes}: not a recording")
    assert notes.read_text() == "mine"
    assert recorders(target.pid) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "record: the following arguments are required: -p/--pid, -o/--output"),
        (["-p", "1", "-o", "x", "-d", "nan"], "record: argument -d/--duration: not a number of"),
        (["-p", "1", "-o", "x", "--only", ","], "record: --only has an empty pattern"),
        (["-p", "1", "-o", "x", "--max-nodes", "0"], "record: argument --max-nodes: not a number"),
    ],
)
def test_mistakes(words, why):
    assert refused(*words, code=2).startswith(why)


def test_progress_on_a_terminal(target, out):
    terminal, theirs = pty.openpty()
    argv = [sys.executable, "-m", "pyusdt", "record", "-p", str(target.pid), "-o", str(out)]
    environ = QUIET | {"TERM": "xterm", "COLUMNS": "100"}
    child = subprocess.Popen(argv, stderr=theirs, stdout=subprocess.PIPE, env=environ)
    os.close(theirs)
    said = b""
    while b"Ctrl-C ends it" not in said:
        said += os.read(terminal, 1000)
    assert f"recording process {target.pid}".encode() in said
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=DEADLINE)[0].startswith(str(out).encode())
    os.close(terminal)


@pytest.mark.parametrize("kinds", ["python", "all"])
def test_what_is_allocated_while_it_is_recorded(target, out, kinds):
    do(target, "hold", 50)
    with recording(target, out, f"--memory={kinds}") as process:
        do(target, "hold", 100)
        stop(process)
    found = pyusdt.load(out)
    assert found.processes[0].memory == kinds
    (figures,) = [
        row.figures for row in found.memory_rows if row.record and row.record.qualname == "hold"
    ]
    assert figures.live_blocks in (100, 101)  # and the list, if it has moved
    assert figures.live_bytes - 100 * sys.getsizeof(bytes(1000)) in range(2000)
