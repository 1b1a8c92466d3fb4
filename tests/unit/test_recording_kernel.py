# SPDX-License-Identifier: Apache-2.0
"""The kernel's account: from the lines that its tracer leaves in a run to figures of functions."""

import json
from pathlib import Path

import pytest
import runs
from recordings import MS, charged
from runs import leave, part

from pyusdt.recording import Recording, load
from pyusdt.recording.kernel import KernelFigures
from pyusdt.rundir import KERNEL_ROWS

pytestmark = pytest.mark.apart

PID = 5_000_000
FILTERED = {"only": "app", "exclude": "app:work"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.pyusdt"


def row(node, kind, name="", *, tid=100, pid=PID, **figures):
    return {"pid": pid, "tid": tid, "node": node, "kind": kind, "name": name, **figures}


ROWS = [
    row(4, "syscall", "read", count=7, ns=21 * MS, errors=1),
    row(3, "syscall", "read", count=2, ns=1 * MS),
    row(3, "offcpu", "disk", count=3, ns=11 * MS),
    row(-1, "syscall", "mmap", count=5, ns=MS),
    row(77, "syscall", "mmap", count=1, ns=MS),  # a context that the recording has not
    row(0, "fault", "minor", tid=0, count=23),  # a thread that it has not
]


def left(path, lines, about=None):
    """A run with the charged recording's part, and these lines of its tracer."""
    run = leave(path, part(charged(), pid=PID, about={"c_calls": True, **(about or {})}))
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    Path(run.directory, KERNEL_ROWS).write_text(text)
    return run


def figures(recording):
    """By function, kind and name; "" is no function."""
    return {
        (recording.records[index].qualname if index >= 0 else "", thread, kind, name): tuple(it)
        for (_, thread, index, kind, name), it in recording.kernel.items()
    }


@pytest.mark.parametrize("moved", [False, True], ids=["beside", "moved"])
def test_rows_are_charged_to_the_functions_of_their_contexts(path, moved, monkeypatch):
    # Else a child that another test has left may be about to write.
    monkeypatch.setattr("pyusdt.recording.alive.children", set)
    run = left(path, [{"pid": PID, "why": "", "losses": {"kernel events": 4}}, *ROWS])
    if moved:
        runs.run.finish(str(path), run=run)
        assert not Path(run.directory).exists()
    recording = load(path)
    assert figures(recording) == {
        ("read", 0, "syscall", "read"): (7, 21 * MS, 0, 1),
        ("work", 0, "syscall", "read"): (2, 1 * MS, 0, 0),
        ("work", 0, "offcpu", "disk"): (3, 11 * MS, 0, 0),
        ("", 0, "syscall", "mmap"): (6, 2 * MS, 0, 0),
        ("", -1, "fault", "minor"): (23, 0, 0, 0),
    }
    by_name = {f.record.qualname: f for f in recording.functions}
    assert by_name["read"].syscalls == {"read": {"count": 7, "ns": 21 * MS, "errors": 1}}
    assert by_name["work"].kernel_waits == {"disk": 11 * MS}
    assert recording.kernel_totals["syscall"] == {
        "read": KernelFigures(9, 22 * MS, 0, 1),
        "mmap": KernelFigures(6, 2 * MS),
    }
    assert recording.processes[0].kernel == ""
    assert recording.losses == {"kernel events": 4}
    assert "kernel" in recording.known


def test_what_a_filter_left_out_is_its_callers(path):
    left(path, ROWS, about=FILTERED)
    found = figures(load(path))
    assert found["main", 0, "syscall", "read"] == (2, 1 * MS, 0, 0)  # of work
    assert found["read", 0, "syscall", "read"] == (7, 21 * MS, 0, 1)
    # A report's filter knows functions only: what it leaves out is nobody's.
    recording = Recording.from_snapshot(charged(kernel=True))
    only = recording.only(lambda record: record.qualname == "main")
    assert figures(only)["", 0, "syscall", "read"] == (7, 21 * MS, 0, 1)
    assert only.kernel_totals == recording.kernel_totals


def test_of_threads_with_one_tid_the_last_that_has_the_context_is_taken(path):
    it = charged()
    it.threads[1] = it.threads[1]._replace(tid=100)
    run = leave(path, part(it, pid=PID, about={"c_calls": True}))
    rows = [row(4, "migration", count=1), row(0, "migration", count=2)]
    Path(run.directory, KERNEL_ROWS).write_text("\n".join(map(json.dumps, rows)))
    assert figures(load(path)) == {
        ("read", 0, "migration", ""): (1, 0, 0, 0),
        ("_worker", 1, "migration", ""): (2, 0, 0, 0),
    }


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[" * 100_000,
        "5",
        "{}",
        row(4, "syscal", count=1),
        row(4, "syscall", count=-1),
        row(4, "syscall", ns=2**61),
        row(4, "syscall", ns=0.5),
        row(4, "syscall", pid=True),
        {"pid": PID, "losses": [1]},
        {"pid": PID, "losses": {"x": "y"}},
    ],
    ids=range(11),
)
def test_lines_that_no_tracer_writes_are_left_out_and_counted(path, line):
    left(path, [row(4, "block", count=1, ns=5, bytes=4096), line])
    recording = load(path)
    assert figures(recording) == {("read", 0, "block", ""): (1, 5, 4096, 0)}
    assert recording.processes[0].kernel == "1 lines of it are damaged"


def test_another_process_has_no_account(path):
    left(path, [row(4, "migration", count=1, pid=1)])
    assert load(path).processes[0].kernel is None
    assert load(path).kernel == {}
