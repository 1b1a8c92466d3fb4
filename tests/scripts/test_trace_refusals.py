# SPDX-License-Identifier: Apache-2.0
"""`pyusdt trace` where it cannot work: one line that says why, and what to do. No root needed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from harness import Process
from scripts.trace import Trace

from pyusdt.errors import UserError
from pyusdt.tracing import bpftrace
from pyusdt.tracing.bpftrace import require
from pyusdt.tracing.scripts import Script, collection

pytestmark = pytest.mark.once

USAGE = [
    (["pycals"], r"there is no tool 'pycals'; did you mean 'pycalls'\?"),
    (["nothing"], r"there is no tool 'nothing'; see `pyusdt trace --list`"),
    (["no/such.bt"], "there is no script no/such.bt"),
    ([], "trace: name a tool; see `pyusdt trace --list`"),
    (["pycalls", "--"], "trace: name the program to run after --"),
    (["pycalls", "-p", "1", "--", "x"], "trace: give either -p PID or a program, not both"),
    (["pycalls", "--no-children"], "trace: --no-children is about a program after --"),
    (["pycalls", "-p", "x"], "trace: argument -p/--pid: not the number of a process: 'x'; see .*"),
    (["pyslower", "x"], "trace: MS is a whole number, not 'x'; see `pyusdt trace pyslower --help`"),
    (["pyflow", "-1.5"], "trace: TID is a whole number, not '-1.5'; see .*"),
    (["pycalls", "a", "b"], r"trace: pycalls takes \[PART\], not 'b'; see .*"),
    (["pygc", "2"], "trace: pygc takes no parameter, not '2'; see .*"),
    (["pygc", "-d", "0"], "trace: argument -d/--duration: not a number of seconds: '0'; see .*"),
    (["pygc", "--raw", "-f", "json"], "trace: -f and --all are about the tables of our own tools"),
    (["pycalls", "--lst"], r"trace: unknown argument '--lst'; did you mean '--list'\?"),
]


@pytest.mark.parametrize(("words", "message"), USAGE, ids=str)
def test_usage(words: list[str], message: str) -> None:
    with Trace(*words) as trace:
        assert trace.wait() == 2
        trace.expect(f"^pyusdt: {message}\n$")
        assert trace.output.count("\n") == 1


def test_the_list_has_each_tool_with_its_question() -> None:
    with Trace("--list") as trace:
        assert trace.wait() == 0
        for script in collection():
            trace.expect(rf"^{script.name}\b.*  {script.question.replace('?', '')}\?$")


def test_help_of_a_tool_is_the_comment_of_its_script() -> None:
    with Trace("pyslower", "--help") as trace:
        assert trace.wait() == 0
        assert trace.output.startswith("pyslower.bt - print the calls that take long")
        trace.expect("^    MS +the least number of milliseconds")
        trace.expect("^    # pyusdt trace pyslower ")
        trace.expect("^Cost: ")


PROGRAMS = [
    (["no_such.py"], "there is no program 'no_such.py'"),
    (["ls", "-l"], r"'ls' is no Python program: after -- comes a script, .*"),
    (["python3", "-u"], "name the program to run: script.py, -m module or -c code"),
]


@pytest.mark.usefixtures("bpftrace")
@pytest.mark.parametrize(("words", "message"), PROGRAMS, ids=str)
def test_what_is_no_program(words: list[str], message: str) -> None:
    with Trace("pycalls", "--", *words) as trace:
        assert trace.wait() == 2
        trace.expect(f"^pyusdt: {message}\n$")


@pytest.mark.usefixtures("bpftrace")
def test_a_process_without_pyusdt() -> None:
    sleeper = Process([sys.executable, "-c", "input()"])
    with sleeper, Trace("pycalls", "-p", str(sleeper.pid)) as trace:
        assert trace.wait() == 1
        trace.expect(f"^pyusdt: process {sleeper.pid} has not loaded pyusdt: .*\n$")


@pytest.mark.usefixtures("bpftrace")
def test_no_such_process() -> None:
    with Trace("pycalls", "-p", str(2**22 + 1)) as trace:  # above the largest pid_max
        assert trace.wait() == 1
        trace.expect(f"^pyusdt: there is no process {2**22 + 1}\n$")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As if we were root, in a world whose only program is the bpftrace that a test puts there."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(directory: Path, version: str) -> None:
    program = directory / "bpftrace"
    program.write_text(f"#!/bin/sh\necho bpftrace {version}\n")
    program.chmod(0o755)


def lacks(monkeypatch: pytest.MonkeyPatch, *paths: str) -> None:
    """Have the machine lack these files, and those below them."""
    exists = os.path.exists
    monkeypatch.setattr(
        bpftrace.os.path, "exists", lambda path: not str(path).startswith(paths) and exists(path)
    )


def script(tmp_path: Path, source: str) -> Script:
    path = tmp_path / "mine.bt"
    path.write_text(source)
    return Script(path)


PYCALLS = next(script for script in collection() if script.name == "pycalls")
SWITCH = "tracepoint:sched:sched_switch { @[args->next_pid] = count(); }"


def refusal(script: Script) -> str:
    with pytest.raises(UserError) as refused:
        require(script)
    assert refused.value.code == 1
    return str(refused.value)


def test_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert refusal(PYCALLS) == "tracing needs root: run it with sudo"


@pytest.mark.usefixtures("root")
def test_no_bpftrace() -> None:
    assert refusal(PYCALLS) == (
        "bpftrace is not installed: install version 0.17 or newer, for example by: "
        "apt-get install bpftrace"
    )


def test_bpftrace_too_old(root: Path) -> None:
    install(root, "v0.16.0")
    assert refusal(PYCALLS).startswith(f"{root}/bpftrace is version 0.16, which is too old: ")


def test_bpftrace_that_is_none(root: Path) -> None:
    install(root, "says nothing")
    assert refusal(PYCALLS).startswith(f"{root}/bpftrace does not print its version: ")


def test_kernel_without_uprobes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(root, "v0.27.0")
    lacks(monkeypatch, "/sys/bus/event_source")
    assert refusal(PYCALLS).startswith("this kernel has no uprobes, ")


def test_tracefs_not_mounted(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(root, "v0.17.0")
    mine = script(tmp_path, SWITCH)
    lacks(monkeypatch, "/sys/kernel/tracing", "/sys/kernel/debug")
    assert refusal(mine).endswith("mount -t tracefs tracefs /sys/kernel/tracing")
    assert require(PYCALLS).version == (0, 17)


def test_kernel_without_types(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lacks(monkeypatch, "/sys/kernel/btf")
    install(root, "v0.17.0")
    assert require(PYCALLS).version == (0, 17)
    assert require(script(tmp_path, SWITCH)).version == (0, 17)
    install(root, "v0.25.1")
    assert "CONFIG_DEBUG_INFO_BTF" in refusal(script(tmp_path, SWITCH))
    mine = script(tmp_path, "BEGIN { $task = (struct task_struct *)curtask; }")
    assert "CONFIG_DEBUG_INFO_BTF" in refusal(mine)
