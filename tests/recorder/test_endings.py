# SPDX-License-Identifier: Apache-2.0
"""Signals that end a recorded program: the whole is there, or the last flush, and the process has
ended by that signal, as it does without us."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from signal import Signals

import pytest
from harness import DEADLINE, ROOT, VARIABLES, Process, environment

import pyusdt
from pyusdt.recording import Recording

from .recorded import SLICE_NS, calls, threads_are_as_long_as_their_trees

# Not tsan, whose runtime defers a signal that arrives just before a system call until after it.
pytestmark = pytest.mark.asan

PROGRAM = Path(__file__).parent / "programs" / "ended.py"
BLIND = "while C code kept the GIL"
ENDINGS = [
    "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGPIPE",
    "SIGABRT", "SIGVTALRM", "SIGPROF", "SIGXCPU",
]  # fmt: skip


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.pyusdt"


def command(out: Path, *words: str | Path) -> list[str]:
    return [sys.executable, "-m", "pyusdt", "-o", str(out), *map(str, words)]


def launched(out: Path, *words: str | Path, before: tuple[str, ...] = ()) -> Process:
    return Process([*before, *command(out, *words)], env=environment(), start_new_session=True)


def is_caught(pid: int, name: str) -> bool:
    """Whether there is a handler; where the default is in effect, the core's is there soon."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    assert caught
    return bool(int(caught[1], 16) & 1 << Signals[name] - 1)


def expect_ready(program: Process, *names: str) -> None:
    program.expect("^ready")
    while not all(is_caught(program.pid, name) for name in names):
        assert program.child.poll() is None, program.heard()


def leaves(recording: Recording) -> int:
    return calls(recording, "__main__").get("leaf", 0)


def assert_whole(out: Path, *reasons: str) -> None:
    """All that the program did is in the file, and nothing is beside it."""
    assert_recorded(out, *reasons)
    assert os.listdir(out.parent) == [out.name]


def assert_recorded(out: Path, *reasons: str) -> None:
    """All that the program did can be read."""
    recording = pyusdt.load(out)
    assert leaves(recording) == 1000
    (process,) = recording.processes
    assert process.ended_ns
    assert process.reason in reasons
    if BLIND not in process.reason:  # then what was on the stacks is missing
        threads_are_as_long_as_their_trees(recording, SLICE_NS)


@pytest.mark.parametrize("name", ENDINGS)
def test_at_its_default(out: Path, name: str) -> None:
    with launched(out, PROGRAM, "at_default", name) as program:
        expect_ready(program, name)
        os.kill(program.pid, Signals[name])
        assert program.child.wait(DEADLINE) == -Signals[name]
    assert_whole(out, name)


@pytest.mark.parametrize(
    ("ending", "name"),
    [
        ("alarm", "SIGALRM"),
        ("virtual_alarm", "SIGVTALRM"),
        ("profile_alarm", "SIGPROF"),
        ("broken_pipe", "SIGPIPE"),
        pytest.param("too_much_cpu", "SIGXCPU", marks=pytest.mark.thorough),
    ],
)
def test_the_program_brings_it_about(out: Path, ending: str, name: str) -> None:
    with launched(out, PROGRAM, ending) as program:
        assert program.child.wait(DEADLINE) == -Signals[name]
    assert_whole(out, name)


@pytest.mark.parametrize("name", [name for name in ENDINGS if name != "SIGABRT"])
def test_as_soon_as_the_default_is_back(out: Path, name: str) -> None:
    with launched(out, PROGRAM, "at_once", name) as program:
        assert program.child.wait(DEADLINE) == -Signals[name]
    (process,) = pyusdt.load(out).processes
    assert process.ended_ns
    assert leaves(pyusdt.load(out)) == 1000


def test_nobody_reads_its_output(out: Path) -> None:
    with launched(out, PROGRAM, "pipe_is_full") as program:
        assert program.child.wait(DEADLINE) == -signal.SIGPIPE
    assert_whole(out, "SIGPIPE")


def test_what_the_program_sees_of_signal(out: Path) -> None:
    with launched(out, PROGRAM, "looks") as program:
        assert program.wait() == 0, program.output
    assert_whole(out, "exit")


def test_abort_keeps_the_gil(out: Path) -> None:
    with launched(out, PROGRAM, "abort") as program:
        assert program.child.wait(DEADLINE) == -signal.SIGABRT
    (process,) = pyusdt.load(out).processes
    assert process.reason == f"SIGABRT, {BLIND}"


def test_handlers_of_the_program_stay(out: Path) -> None:
    with launched(out, PROGRAM, "handled", *ENDINGS) as program:
        expect_ready(program, *ENDINGS)
        for name in [*ENDINGS, ENDINGS[0]]:
            os.kill(program.pid, Signals[name])
            program.expect(f"^handled {name}$")
        assert program.wait() == 0
    assert_whole(out, "exit")


@pytest.mark.parametrize(
    "names",
    [
        ("SIGTERM", "SIGTERM"),
        ("SIGHUP", "SIGHUP"),
        ("SIGHUP", "SIGTERM", "SIGQUIT"),
        ("SIGUSR1", "SIGALRM", "SIGHUP"),
        ("SIGTERM", "SIGPIPE", "SIGABRT"),
    ],
)
@pytest.mark.parametrize("ending", ["at_default", "in_thread"])
def test_several_at_once(out: Path, ending: str, names: tuple[str, ...]) -> None:
    """The first that arrives ends it; which one that is, the kernel decides."""
    words = names if ending == "at_default" else ()
    if ending == "in_thread":
        names = tuple(name for name in names if name != "SIGPIPE")  # Python ignores it
    with launched(out, PROGRAM, ending, *words) as program:
        expect_ready(program, *names)
        for name in names:
            os.kill(program.pid, Signals[name])
        code = program.child.wait(DEADLINE)
    ended_by = Signals(-code).name
    assert ended_by in names
    if "SIGABRT" in names:  # it may stop the very thread that has the GIL
        assert_recorded(out, ended_by, f"{ended_by}, {BLIND}")
    else:
        assert_whole(out, ended_by)


@pytest.mark.parametrize(
    "names",
    [
        ("SIGINT", "SIGINT"),
        ("SIGINT", "SIGINT", "SIGINT"),
        ("SIGINT", "SIGTERM"),
        ("SIGHUP", "SIGINT", "SIGTERM"),
    ],
)
def test_ctrl_c_and_more(out: Path, names: tuple[str, ...]) -> None:
    with launched(out, PROGRAM, "wait") as program:
        expect_ready(program, *names)
        for name in names:
            os.kill(program.pid, Signals[name])
        code = program.child.wait(DEADLINE)
    assert Signals(-code).name in names
    assert_recorded(out, "exit", *names)  # perhaps the file was just being made


def test_timeout_sends_it_twice(out: Path, tool) -> None:
    """timeout(1) signals its child and then its group."""
    with launched(out, PROGRAM, "wait", before=(tool("timeout"), str(int(DEADLINE)))) as program:
        program.expect("^ready")
        (child,) = children_of(program.pid)
        while not is_caught(child, "SIGTERM"):
            pass
        os.kill(program.pid, signal.SIGTERM)
        program.child.wait(DEADLINE)
        program.wait()  # for the end of its child, which has its output too
    assert_whole(out, "SIGTERM")


def children_of(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


@contextmanager
def terminal(*words: str) -> Iterator[tuple[int, int]]:
    """A program on a terminal of its own: its pid, and the terminal's other side."""
    pid, side = pty.fork()
    if pid == 0:
        os.execvpe(words[0], words, {**os.environ, **VARIABLES, "PYTHONPATH": str(ROOT)})
    try:
        yield pid, side
    finally:
        with suppress(OSError):
            os.close(side)


def read_until(side: int, word: bytes) -> bytes:
    said = b""
    while word not in said:
        said += os.read(side, 4096)
    return said


def test_its_terminal_is_closed(out: Path) -> None:
    with terminal(*command(out, PROGRAM, "sleep")) as (pid, side):
        read_until(side, b"ready\r\n")  # the end of the line may be a write of its own
        while not is_caught(pid, "SIGHUP"):
            pass
        os.close(side)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGHUP
    assert_whole(out, "SIGHUP")


def test_the_terminal_of_its_shell_is_closed(out: Path, tool) -> None:
    """The shell and the kernel both send SIGHUP."""
    with terminal(tool("bash"), "--norc", "-i") as (shell, side):
        os.write(side, " ".join([*command(out, PROGRAM, "sleep"), "\n"]).encode())
        read_until(side, b"ready\r\n")
        (pid,) = children_of(shell)
        while not is_caught(pid, "SIGHUP"):
            pass
        with closing(os.fdopen(os.pidfd_open(pid))) as ended:
            os.close(side)
            os.waitpid(shell, 0)
            wait_for_end(ended.fileno())
    assert_whole(out, "SIGHUP")


def wait_for_end(pidfd: int) -> None:
    assert select.select([pidfd], [], [], DEADLINE)[0]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGALRM"])
def test_c_code_keeps_the_gil(out: Path, name: str) -> None:
    with launched(out, "--flush=0.05", PROGRAM, "keeps_gil") as program:
        while not out.exists() or leaves(pyusdt.load(out)) != 1000:
            assert program.child.poll() is None
        program.send("")
        expect_ready(program, name)
        os.kill(program.pid, Signals[name])
        assert program.child.wait(DEADLINE) == -Signals[name]
    recording = pyusdt.load(out)
    assert leaves(recording) == 1000
    (process,) = recording.processes
    assert process.ended_ns
    assert process.reason in (name, f"{name}, {BLIND}")


def test_c_code_keeps_the_gil_and_nothing_was_flushed(out: Path) -> None:
    """What was not on the stacks is there."""
    with launched(out, PROGRAM, "keeps_gil") as program:
        program.send("")
        expect_ready(program, "SIGTERM")
        for _ in range(3):
            os.kill(program.pid, signal.SIGTERM)
        assert program.child.wait(DEADLINE) == -signal.SIGTERM
    report = subprocess.run(
        [sys.executable, "-m", "pyusdt", "report", out], env=environment(), capture_output=True,
        text=True,
    )  # fmt: skip
    assert report.returncode == 0, report.stderr
    (process,) = pyusdt.load(out).processes
    assert str(process.reason).startswith("SIGTERM")
