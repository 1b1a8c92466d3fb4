# SPDX-License-Identifier: Apache-2.0
"""--kernel: what the kernel does for each context, against other accounts of the same."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from harness import DEADLINE, LIBRARY, Process, Program, environment

pytestmark = pytest.mark.usefixtures("bpftrace", "library")

PROGRAM = Path(__file__).parent / "programs/kernel.py"
# What Python itself does not do for the functions of the program, or as much without them.
CALLS = ("getppid", "rmdir", "fsync", "sendto", "recvfrom", "pipe2", "socketpair",
         "clock_nanosleep", "wait4")  # fmt: skip
PAUSE_NS = 5e6


class Rows:
    """The kernel's account in a recording: what is summed is what the words name."""

    def __init__(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as it:
            self.processes = it.execute("SELECT pid, kernel FROM processes").fetchall()
            self.losses = it.execute("SELECT name, count FROM losses").fetchall()
            self.rows = it.execute(
                "SELECT p.pid, t.tid, f.qualname, k.kind, k.name, k.count, k.ns, k.bytes, k.errors"
                " FROM kernel k JOIN processes p ON p.id = k.process"
                " LEFT JOIN threads t ON t.process = k.process AND t.thread = k.thread"
                " LEFT JOIN functions f ON f.id = k.function"
            ).fetchall()

    def sums(self, *words: object) -> tuple[int, int, int, int]:
        """count, ns, bytes, errors of the rows that have all of the words."""
        found = [row for row in self.rows if set(words) <= {*row[:5]}]
        figures = [sum(column) for column in zip(*(row[5:] for row in found), strict=True)]
        return tuple(figures) or (0, 0, 0, 0)


def launched(path: Path, *words: str) -> list[str | Path]:
    options = ["--flush=0.1"] if words == ("ask", "wait") else []
    return [sys.executable, "-m", "pyusdt", "-o", path, "--kernel", *options, PROGRAM, *words]


def tracers() -> set[int]:
    """Every bpftrace that runs on the library under test."""
    found = set()
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = place.read_bytes().split(b"\0")
            if os.path.basename(words[0]) == b"bpftrace" and os.fsencode(LIBRARY) in words:
                found.add(int(place.parent.name))
    return found


def wait_for[T](find: Callable[[], T]) -> T:
    """What it finds, as soon as that is something."""
    end = time.monotonic() + DEADLINE
    while not (found := find()):
        assert time.monotonic() < end, find
        time.sleep(0.02)
    return found


def is_flushed(directory: Path) -> bool:
    """Whether the counts have been written once."""
    return any(part.stat().st_size > 1000 for part in directory.glob(".*/*.part"))


def ended(path: Path, number: int, *words: str) -> str:
    """Record the program, which a signal ends unless it is 0; wait until no tracer is left."""
    before = tracers()
    with Process(launched(path, *words, *(["wait"] if number else [])), env=environment()) as it:
        it.expect(r"^pid ")
        if number == signal.SIGKILL:
            wait_for(lambda: is_flushed(path.parent))
        if number:
            it.child.send_signal(number)
        assert it.wait() == -number
        wait_for(lambda: not tracers() - before and not [*path.parent.glob(".*/kernel.pid")])
        return it.output


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, dict[str, int]]:
    """The program, recorded with all that it does until a signal ends it, and what it knows."""
    path = tmp_path_factory.mktemp("kernel") / "out.pyusdt"
    output = ended(path, signal.SIGTERM, "work")
    known = dict(re.findall(r"^(\w+) (\d+)$", output, re.MULTILINE))
    return Rows(path), {name: int(number) for name, number in known.items()}


def strace(tool: Callable[[str], str], path: Path, *words: str) -> Counter[str]:
    """How often the program makes each system call."""
    argv = [tool("strace"), "-f", "-c", "-U", "name,calls,errors", "-o", path]
    subprocess.run([*argv, sys.executable, PROGRAM, *words], check=True, capture_output=True)
    found = re.findall(r"^(\w+) +(\d+) *(\d*)$", path.read_text(), re.MULTILINE)
    return Counter({name: int(calls) for name, calls, _ in found if name != "total"})


def test_system_calls_are_as_many_as_strace_counts(
    run: tuple[Rows, dict[str, int]], tool: Callable[[str], str], tmp_path: Path
) -> None:
    rows, _ = run
    counted = strace(tool, tmp_path / "all", "work")
    counted.subtract(strace(tool, tmp_path / "none"))
    functions = {row[2] for row in rows.rows if row[2] not in (None, "<module>")}
    found = {
        name: sum(rows.sums("syscall", name, function)[0] for function in functions)
        for name in CALLS
    }
    assert found == {name: counted[name] for name in CALLS}
    assert rows.sums("syscall", "getppid", "asks")[0] == 2018  # once in the child
    assert rows.sums("syscall", "rmdir", "fails")[3] == 101


def test_bytes_and_blocks_and_faults_are_those_of_their_functions(
    run: tuple[Rows, dict[str, int]],
) -> None:
    rows, _ = run
    assert rows.sums("write", "file", "writes")[::2] == (50, 500_000)
    assert rows.sums("read", "socket", "talks")[::2] == (23, 2300)
    assert rows.sums("write", "socket", "talks")[::2] == (23, 2300)
    assert rows.sums("read", "other", "pipes")[::2] == (1, 4)
    assert rows.sums("syscall", "write", "writes")[0] == 50
    assert rows.sums("syscall", "read", "pipes")[0] == 1
    assert rows.sums("fault", "touches")[0] >= (8 << 20) / 4096 / 512  # huge pages, perhaps


def test_a_thread_is_off_the_cpu_for_as_long_as_its_clocks_say(
    run: tuple[Rows, dict[str, int]],
) -> None:
    rows, known = run
    its = known["thread"]
    # What the machine refused may have come between two reads of clocks, whoever is charged.
    slack = PAUSE_NS + known["refused"]
    waits = rows.sums("offcpu", its)[1]
    assert waits == pytest.approx(known["all_waits"], rel=0.05, abs=slack)
    for wait, function in (
        ("net", "pipes"),
        ("poll", "polls"),
        ("sleep", "naps"),
        ("lock", "waits_for_a_lock"),
        ("child", "waits_for_a_child"),
        ("gil", "spins"),
    ):
        its_rows = [row for row in rows.rows if {"offcpu", function, its} <= {*row[:5]}]
        waited = rows.sums("offcpu", function, its)[1]
        # os.fork calls functions of Python's libraries, which wait for the GIL, too.
        share = 0.3 if wait == "child" else 0.1
        assert waited == pytest.approx(known[function], rel=share, abs=slack), its_rows
        # A fork waits until our own threads stand still.
        expected = {wait, "runnable", "gil", "lock"}
        because = {name: rows.sums("offcpu", name, function, its)[1] for name in expected}
        assert sum(because.values()) == pytest.approx(waited, rel=0.05, abs=slack), its_rows
        # Who waits for a CPU until it has what it waited for has not waited for that.
        assert because[wait] + because["runnable"] > 0.02e9, function


def test_a_child_is_in_the_account(run: tuple[Rows, dict[str, int]]) -> None:
    rows, known = run
    assert rows.losses == []
    assert [kernel for _, kernel in rows.processes] == ["", ""]
    child = next(pid for pid, _ in rows.processes if pid != known["pid"])
    assert rows.sums("syscall", "getppid", "asks", child)[0] == 1009
    assert rows.sums("offcpu", "sleep", "waits_for_a_child", child)[1] >= 0.2e9


def test_the_account_outlives_a_kill_and_the_tracer_does_not(tmp_path: Path) -> None:
    path = tmp_path / "out.pyusdt"
    ended(path, signal.SIGKILL, "ask")
    time.sleep(1.1)  # a directory that has just changed may be that of a run that begins
    report = [sys.executable, "-m", "pyusdt", "report", "-f", "json", "-o", os.devnull, path]
    subprocess.run(report, check=True, env=environment(), capture_output=True)
    assert [*tmp_path.iterdir()] == [path]
    assert Rows(path).sums("syscall", "getppid", "asks")[0] == 1009


@pytest.mark.thorough
def test_the_account_of_a_program_that_just_ends(tmp_path: Path) -> None:
    path = tmp_path / "out.pyusdt"
    ended(path, 0, "ask")
    assert [*tmp_path.iterdir()] == [path]
    assert Rows(path).sums("syscall", "getppid", "asks")[0] == 1009


@pytest.mark.thorough
def test_what_finds_no_room_is_lost_and_the_sums_are_right(
    run: tuple[Rows, dict[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BPFTRACE_MAP_KEYS_MAX", "BPFTRACE_MAX_MAP_KEYS"):
        monkeypatch.setenv(name, "64")
    path = tmp_path / "out.pyusdt"
    ended(path, signal.SIGTERM, "work")
    rows = Rows(path)
    assert rows.losses[0][0] == "kernel events in no context"
    assert rows.losses[0][1] > 1000
    # How often the program asks for its CPU time depends on the machine's other work.
    share = rows.sums("syscall")[0] / run[0].sums("syscall")[0]
    assert 1 / 3 < share < 3


def test_a_running_process_and_its_children(tmp_path: Path) -> None:
    path = tmp_path / "out.pyusdt"
    with Program(PROGRAM, "repeat") as program:
        program.expect("^ready$")
        argv = ["-m", "pyusdt", "record", "-p", program.pid, "-d", 1, "-o", path, "--kernel"]
        with Process([sys.executable, *map(str, argv)], env=environment()) as recorder:
            assert recorder.wait() == 0
    asked = Rows(path).sums("syscall", "getppid", "asks")[0]
    with closing(sqlite3.connect(path)) as it:
        calls = it.execute("SELECT sum(calls) FROM function_totals WHERE qualname = 'asks'")
        assert asked == pytest.approx(1009 * calls.fetchone()[0], rel=0.1, abs=3 * 1009)
    assert Rows(path).sums("offcpu", "sleep")[1] > 0.05e9


@pytest.mark.parametrize("lacks", ["root", "bpftrace"])
def test_without_it_all_else_is_recorded(lacks: str, tmp_path: Path) -> None:
    path = tmp_path / "out.pyusdt"
    argv = launched(path, "none")
    variables = {}
    if lacks == "root":
        mine = "--inh-caps=+dac_override", "--ambient-caps=+dac_override"  # to find Python
        argv = ["setpriv", "--reuid=65534", "--clear-groups", *mine, *argv]
        os.chown(tmp_path, 65534, -1)
    else:
        tool = tmp_path / "bin/env"
        tool.parent.mkdir()
        tool.symlink_to(shutil.which("env") or "")
        variables["PATH"] = str(tool.parent)
    with Process(argv, env=environment(**variables)) as program:
        assert program.wait() == 0
    said = [line for line in program.output.splitlines() if "kernel" in line]
    assert len(said) == 1
    assert said[0].startswith("pyusdt: the kernel's account ")
    assert lacks in said[0]
    assert said[0].endswith("; all else is recorded")
    assert Rows(path).processes[0][1] is None
