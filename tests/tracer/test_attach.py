# SPDX-License-Identifier: Apache-2.0
"""Tracers that come, go, die and share: what each sees is exact, and leaves nothing behind."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from harness import LIBRARY, LINE_EVENTS, ROOT, Program, Tracer, json_maps, maps, probe

pytestmark = pytest.mark.usefixtures("bpftrace", "library")

PROGRAMS = Path(__file__).parent / "programs"
COUNT = "@[str(arg0, 64)] = count();"


def commands(**variables: str) -> Program:
    program = Program(PROGRAMS / "commands.py", **variables)
    program.expect("^ready")
    return program


def do(program: Program, command: str) -> None:
    program.send(command)
    program.expect(f"^done {command.split()[0]}$")


def events(program: Program) -> str:
    program.send("events")
    return program.expect("^events (.*)$")[1].strip()


@pytest.mark.parametrize("library", [LIBRARY, ROOT / "libpyusdt.so"], ids=["canonical", "link"])
@pytest.mark.parametrize("by_pid", [False, True], ids=["system-wide", "pid"])
def test_a_thousand_calls_are_a_thousand_hits(by_pid: bool, library: Path) -> None:
    with commands() as program:
        pid = program.pid if by_pid else None
        path = library
        if by_pid and library == LIBRARY:
            # What a tracer is to be given with -p: see the README. bpftrace 0.27 attaches twice to
            # the bare path, once through /proc/PID/root.
            path = Path(f"/proc/{pid}/root{library}")
        with Tracer(f"{probe('PY_START', path)} {{ {COUNT} }}", pid) as tracer:
            program.expect_on("PY_START")
            do(program, "work 1000")
            assert maps(tracer.finish())["[work]"] == 1000


@pytest.mark.parametrize(
    "watched",
    [
        ["PY_START"],
        [*LINE_EVENTS],
        ["PY_START", "PY_RETURN"],
        ["CALL", "PY_RESUME"],
        ["EXCEPTION_HANDLED"],
    ],
    ids="+".join,
)
def test_only_what_is_watched_is_on(watched: list[str]) -> None:
    with commands() as program:
        assert events(program) == "none"
        probes = ",".join(probe(name) for name in watched)
        with Tracer(f"{probes} {{ @ = count(); }}", program.pid) as tracer:
            while True:
                tool, *on = events(program).split()
                if set(on) == set(watched):
                    break
            assert tool == "4"
            tracer.finish()
        program.expect_off()
        assert events(program) == "none"


def test_attach_detach_attach_again() -> None:
    script = f"{probe('PY_START')} {{ {COUNT} }}"
    with commands() as program:
        for n in (3, 5, 7):
            with Tracer(script, program.pid) as tracer:
                program.expect_on("PY_START")
                do(program, f"work {n}")
                assert maps(tracer.finish())["[work]"] == n
            program.expect_off()
            do(program, "work 100")
            assert events(program) == "none"


def test_a_tracer_killed_leaves_nothing_on() -> None:
    script = f"{probe('LINE')} {{ @ = count(); }}"
    with commands() as program:
        with Tracer(script) as tracer:
            program.expect_on(*LINE_EVENTS)
            tracer.child.send_signal(signal.SIGKILL)
            program.expect_off()
        assert events(program) == "none"
        with Tracer(f"{probe('PY_START')} {{ {COUNT} }}", program.pid) as tracer:
            program.expect_on("PY_START")
            do(program, "work 23")
            assert maps(tracer.finish())["[work]"] == 23


def test_two_tracers_hear_the_same() -> None:
    script = f"{probe('PY_START')} {{ {COUNT} }}"
    with commands() as program, Tracer(script, program.pid) as first:
        program.expect_on("PY_START")
        with Tracer(script) as second:
            do(program, "work 100")
            assert maps(second.finish())["[work]"] == 100
        do(program, "work 11")
        assert maps(first.finish())["[work]"] == 111
        program.expect_off()


def test_two_tracers_on_two_probes() -> None:
    with commands() as program, Tracer(f"{probe('PY_START')} {{ {COUNT} }}") as first:
        program.expect_on("PY_START")
        with Tracer(f"{probe('PY_RETURN')} {{ {COUNT} }}") as second:
            program.expect_on("PY_START", "PY_RETURN")
            do(program, "work 10")
            assert maps(second.finish())["[work]"] == 10
        program.expect_on("PY_START")
        do(program, "work 10")
        assert maps(first.finish())["[work]"] == 20


def test_a_program_started_after_the_tracer_is_traced_from_its_import() -> None:
    with Tracer(f"{probe('PY_START')} {{ {COUNT} }}") as tracer:
        with commands() as program:
            do(program, "work 1000")
            assert program.wait() == 0
        counts = maps(tracer.finish())
    assert counts["[work]"] == 1000
    assert counts["[main]"] == 1


def test_children_of_a_fork_are_traced() -> None:
    with commands() as program, Tracer(f"{probe('PY_START')} {{ {COUNT} }}") as tracer:
        program.expect_on("PY_START")
        do(program, "fork 1000")
        do(program, "fork 10")
        do(program, "work 1")
        assert maps(tracer.finish())["[work]"] == 1011


def test_a_child_forked_while_idle_is_traced_later() -> None:
    with Program(Path(__file__).parent / "programs/prefork.py") as program:
        program.expect("^ready")
        with Tracer(f"{probe('PY_START')} {{ {COUNT} }}") as tracer:
            # Parent and child both say so.
            program.expect_on("PY_START")
            program.expect_on("PY_START")
            program.send("go")
            program.expect("^done")
            assert maps(tracer.finish())["[work]"] == 29
        assert program.wait() == 0


def test_wait_holds_the_program_until_its_first_line_is_traced(tmp_path: Path) -> None:
    script = tmp_path / "first.py"
    script.write_text("def f(): pass\nf()\n")
    with Program("-m", "pyusdt", "--wait", script) as program:
        program.expect("waits for a tracer")
        prints = 'printf("%s ", str(arg0, 64)); printf("%s\\n", str(arg1, 128));'
        with Tracer(f"{probe('PY_START')} {{ {prints} }}", program.pid) as tracer:
            tracer.expect("^f ")
            assert program.wait() == 0
            tracer.finish()
    lines = [line for line in tracer.output.splitlines() if ".py" in line]
    assert lines[:2] == [f"<module> {script}", f"f {script}"]


def test_json_output_is_whole() -> None:
    with commands() as program:
        tracer = Tracer(f"{probe('PY_START')} {{ {COUNT} }}", program.pid, "-f", "json")
        with tracer:
            program.expect_on("PY_START")
            do(program, "work 17")
            counts = json_maps(tracer.finish())["@"]
            assert isinstance(counts, dict)
            assert counts.items() >= {"work": 17, "repeat": 1}.items()


def test_sample_script() -> None:
    with commands() as program, Tracer(ROOT / "scripts/sample.bt", program.pid) as tracer:
        program.expect_on("PY_START", "PY_RESUME", "PY_RETURN", "PY_YIELD", "CALL", "LINE")
        do(program, "work 3")
        tracer.expect(r"PY_START +work .*commands.py:\d+")
        tracer.expect(r"LINE +work .*commands.py:\d+")
        tracer.expect(r"PY_RETURN +work .*commands.py:\d+ +1$")
        tracer.expect(r"CALL +repeat .*commands.py:\d+ +__main__.work$")
        tracer.finish()
