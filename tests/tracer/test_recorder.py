# SPDX-License-Identifier: Apache-2.0
"""A recorder inside and tracers outside at the same time: each hears all, none disturbs another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harness import Program, Tracer, maps, probe

pytestmark = [pytest.mark.usefixtures("bpftrace", "library"), pytest.mark.asan]

PROGRAM = Path(__file__).parent / "programs/recording.py"
FRAMES = ("PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND")


def counting(name: str) -> str:
    """A script that counts by function, and speaks up at the first hit."""
    return f'{probe(name)} /@any == 0/ {{ @any = 1; printf("seen\\n"); }} ' + (
        f"{probe(name)} {{ @[str(arg0, 64)] = count(); }}"
    )


def recording() -> Program:
    program = Program(PROGRAM)
    program.expect("^ready")
    return program


def do(program: Program, command: str) -> None:
    program.send(command)
    program.expect(f"^done {command.split()[0]}$")


def counts(program: Program, name: str) -> tuple[int, int, int]:
    """End the recording; the calls of work(), leaf() and other() in it."""
    program.send(f"stop {name}")
    work, leaf, other = program.expect(r"^counts (\d+) (\d+) (\d+)$").groups()
    program.expect("^losses {}$")
    program.expect("^done stop$")
    return int(work), int(leaf), int(other)


def work_until_seen(program: Program, tracer: Tracer) -> int:
    """How many calls that took: as events are on already, nobody says when the tracer is heard."""
    for n in range(1, 10_000):
        do(program, "work 1")
        if "seen" in tracer.heard():
            return n
    raise AssertionError("the tracer sees nothing")


def test_a_tracer_comes_and_goes_while_it_records() -> None:
    worked = 0
    with recording() as program:
        program.send("start a")
        program.expect_on(*FRAMES)
        for _ in range(2):
            with Tracer(counting("function__done"), program.pid) as tracer:
                worked += work_until_seen(program, tracer)
                do(program, "others 100")
                assert maps(tracer.finish())["[other]"] == 100
            do(program, "others 1000")
        assert counts(program, "a") == (worked, worked, 2 * 1100)
        assert "\npyusdt: disabled\n" in program.output


def test_recordings_come_and_go_while_a_tracer_follows() -> None:
    with recording() as program, Tracer(counting("function__done"), program.pid) as tracer:
        program.expect_on(*FRAMES)
        do(program, "work 1")
        for name, n in (("a", 10), ("b", 100)):
            do(program, f"start {name}")
            do(program, f"work {n}")
            assert counts(program, name) == (1, n, 0)
            do(program, "work 1000")
        found = maps(tracer.finish())
        assert found["[leaf]"] == 1 + 10 + 100 + 2 * 1000
        assert found["[work]"] == 5
        program.expect_off()


def test_a_call_that_was_running_when_a_recording_began_is_told_whole() -> None:
    script = f'{probe("function__done")} /str(arg0, 64) == "held"/ {{ printf("%lld\\n", arg5); }}'
    with recording() as program, Tracer(script, program.pid) as tracer:
        program.expect_on(*FRAMES)
        program.send("held 0.05")
        do(program, "start a")
        within = int(program.expect(r"^held (\d+)$")[1])
        around = int(program.expect(r"^around (\d+)$")[1])
        told = int(tracer.expect(r"^(\d+)$")[1])
        assert within * 0.98 <= told <= around * 1.02
        assert counts(program, "a") == (0, 0, 0)
        tracer.finish()


def test_what_is_not_recorded_is_told_to_tracers_all_the_same() -> None:
    """Its events were disabled while nobody else wanted them."""
    with recording() as program:
        do(program, "start a __main__:work")
        do(program, "work 10")
        do(program, "others 10")
        with Tracer(counting("PY_START"), program.pid) as tracer:
            worked = work_until_seen(program, tracer)
            do(program, "others 100")
            assert maps(tracer.finish())["[other]"] == 100
        assert counts(program, "a") == (1 + worked, 0, 0)


def test_slots_stay_where_they_are() -> None:
    script = f'{probe("thread__state")} {{ printf("slot %d %llx\\n", arg0, arg1); }}'
    with recording() as program, Tracer(script, program.pid) as tracer:
        program.expect_on(*FRAMES)
        slot = tracer.expect(rf"^slot {program.pid} (\w+)$")[1]
        for name in "ab":
            do(program, f"start {name}")
            do(program, "work 10")
            assert counts(program, name) == (1, 10, 0)
        tracer.finish()
    assert set(re.findall(r"slot \d+ (\w+)", tracer.output)) == {slot}
