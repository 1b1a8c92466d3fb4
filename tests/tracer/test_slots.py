# SPDX-License-Identifier: Apache-2.0
"""Kernel events that know their Python function: thread__state and the slots, as scripts read."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Program, Tracer, maps, probe

pytestmark = [pytest.mark.usefixtures("bpftrace", "library"), pytest.mark.asan]

PROGRAM = Path(__file__).parent / "programs/slots.py"
FRAMES = ["PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND"]
STATE = (
    probe("thread__state") + ' { @slot[arg0] = arg1; printf("state %d %s\\n", arg0, str(arg2)); }'
)
# Offsets as include/pyusdt_node.h documents them; 110 is getppid on x86-64, 173 on aarch64.
GETPPID = (
    "tracepoint:syscalls:sys_enter_getppid /@slot[tid]/ {"
    " $node = *(uint64*)uptr(@slot[tid]); $parent = *(uint64*)uptr($node);"
    " @[str(*(uint64*)uptr($node + 8), 32), str(*(uint64*)uptr($parent + 8), 32)] = count();"
    " @line = max(*(uint32*)uptr($node + 28)); @depth = max(*(uint32*)uptr($node + 32));"
    " @id[*(uint32*)uptr($node + 24)] = count(); }"
    " tracepoint:syscalls:sys_enter_getppid /@slot[tid]/ {"
    " @file[str(*(uint64*)uptr(*(uint64*)uptr(@slot[tid]) + 16), 128)] = count(); }"
    " END { clear(@slot); }"
)


def slots(**variables: str) -> Program:
    program = Program(PROGRAM, **variables)
    program.expect("^ready")
    return program


def test_a_system_call_is_charged_to_its_function_and_caller() -> None:
    with slots() as program:
        with Tracer(f"{STATE} {GETPPID}", program.pid) as tracer:
            program.expect_on(*FRAMES)
            tracer.expect(rf"^state {program.pid} MainThread$")
            tracer.expect(r"^state \d+ schläfer$")
            program.send("ask 23")
            program.expect("^done ask")
            program.send("wake")
            program.expect("^done wake")
            found = maps(tracer.finish())
        assert program.wait() == 0
    assert found["[asks, caller]"] == 23
    # It was entered before the tracer came, and blocked: its stack was taken over.
    assert found["[blocked, Thread.run]"] == 7
    assert found[f"file[{PROGRAM}]"] == 30
    assert found["line"] > 0
    assert found["depth"] >= 4  # <module>, main, caller, asks
    assert len([key for key in found if key.startswith("id[")]) == 2


def test_a_new_thread_is_told_by_name() -> None:
    with slots() as program:
        with Tracer(STATE, program.pid) as tracer:
            program.expect_on(*FRAMES)
            for name in ("first", "second"):
                program.send(f"thread {name}")
                tid = program.expect(r"^started (\d+)$")[1]
                tracer.expect(rf"^state {tid} {name}$")
                program.send("end")
                program.expect("^done thread")
            tracer.finish()
        program.send("wake")
        program.expect("^done wake")
        assert program.wait() == 0


def test_threads_and_children_that_live_shorter_than_a_tick_are_told() -> None:
    with slots(PYUSDT_CHECK_MSEC="1000") as program:
        with Tracer(f"{STATE} {GETPPID}") as tracer:
            program.expect_on(*FRAMES)
            for command in ("brief 23", "fork 7"):
                program.send(command)
                program.expect(f"^done {command.split()[0]}$")
            found = maps(tracer.finish())
        program.send("wake")
        program.expect("^done wake")
        assert program.wait() == 0
    assert found["[brief, Thread.run]"] == 23
    assert found["[forked, fork]"] == 7


def test_a_second_tracer_hears_of_the_threads_too() -> None:
    with slots() as program:
        with Tracer(STATE, program.pid) as first:
            first.expect(rf"^state {program.pid} MainThread$")
            with Tracer(STATE, program.pid) as second:
                second.expect(rf"^state {program.pid} MainThread$")
                second.expect(r"^state \d+ schläfer$")
                second.finish()
            first.finish()
        program.send("wake")
        program.expect("^done wake")
        assert program.wait() == 0


def test_the_main_thread_is_known_without_threading_and_without_a_call() -> None:
    code = "import pyusdt, sys\nassert 'threading' not in sys.modules\nprint('ready', flush=True)\n"
    with Program("-c", code + "sys.stdin.readline()") as program:
        program.expect("^ready")
        with Tracer(STATE, program.pid) as tracer:
            tracer.expect(rf"^state {program.pid} MainThread")
            tracer.finish()
        program.send("end")
        assert program.wait() == 0
