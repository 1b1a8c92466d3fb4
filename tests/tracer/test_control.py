# SPDX-License-Identifier: Apache-2.0
"""Filters and live control of a process that a real bpftrace traces."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import DEADLINE, LINE_EVENTS, Program, Tracer, argument, environment, maps, probe

pytestmark = pytest.mark.usefixtures("bpftrace", "library")

PROGRAMS = Path(__file__).parent / "programs"
FRAMES = ["PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND"]
COUNT = f"{probe('PY_START')} {{ @[str(arg0, 64)] = count(); }}"


def filtered(**variables: str) -> Program:
    program = Program(PROGRAMS / "filtered.py", **variables)
    program.expect("^ready")
    return program


@pytest.fixture
def program() -> Iterator[Program]:
    with filtered() as program:
        yield program


def do(program: Program, command: str) -> None:
    program.send(command)
    program.expect(f"^done {command.split()[0]}$")


def change(program: Program, *options: str) -> str:
    """`pyusdt set`: what it says is in effect, which it is when it ends."""
    argv = [sys.executable, "-m", "pyusdt", "set", "-p", str(program.pid), *options]
    environ = {**environment(), "PYUSDT_VERBOSE": "0"}
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=DEADLINE, env=environ, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_only_narrows_at_once_and_widening_arms_again_exactly(program: Program) -> None:
    with Tracer(COUNT, program.pid) as tracer:
        program.expect_on("PY_START")
        do(program, "show 10")
        assert "only myapp.views," in change(program, "--only", "myapp.views")
        do(program, "show 100")
        assert "only everything," in change(program, "--only", "")
        do(program, "show 1000")
        found = maps(tracer.finish())
    found.pop("[decode]", None)  # of sys.stdin
    assert found == {"[work]": 2, "[show]": 1110, "[load]": 1010}


def test_narrowing_and_widening_again_and_again(program: Program) -> None:
    with Tracer(COUNT, program.pid) as tracer:
        program.expect_on("PY_START")
        for only in ("myapp.views", "myapp.models", "other", "myapp*:load") * 3:
            change(program, "--only", only)
            do(program, "show 7")
        found = maps(tracer.finish())
    assert found == {"[show]": 3 * 7, "[load]": 6 * 7}


def test_a_function_that_runs_follows_too(program: Program) -> None:
    """A line of main(), which is entered once: silenced in the middle of it, and armed again."""
    source = (PROGRAMS / "filtered.py").read_text().splitlines()
    line = source.index("        work(what, int(times))") + 1
    script = f'{probe("LINE")} /arg2 == {line} && str(arg0, 64) == "main"/ {{ @ = count(); }}'
    with Tracer(script, program.pid) as tracer:
        program.expect_on(*LINE_EVENTS)
        do(program, "show 1")
        change(program, "--only", "myapp")
        for _ in range(5):
            do(program, "show 1")
        change(program, "--only", "")
        for _ in range(7):
            do(program, "show 1")
        found = maps(tracer.finish())
    assert found[""] == 1 + 7


def test_exclude_wins_over_only(program: Program) -> None:
    with Tracer(COUNT, program.pid) as tracer:
        program.expect_on("PY_START")
        change(program, "--only", "myapp, __main__:work", "--exclude", "myapp.models")
        do(program, "show 10")
        found = maps(tracer.finish())
    assert found == {"[work]": 1, "[show]": 10}


def test_the_environment_sets_filters_from_the_start() -> None:
    with (
        filtered(PYUSDT_ONLY="myapp", PYUSDT_EXCLUDE="*:show") as program,
        Tracer(COUNT, program.pid) as tracer,
    ):
        program.expect_on("PY_START")
        do(program, "show 10")
        found = maps(tracer.finish())
    assert found == {"[load]": 10}


def test_events_that_cannot_be_disabled_are_filtered_too(program: Program) -> None:
    events = ["PY_UNWIND", "RAISE", "EXCEPTION_HANDLED"]
    script = " ".join(f"{probe(e)} {{ @{e}[str(arg0, 64)] = count(); }}" for e in events)
    with Tracer(script, program.pid) as tracer:
        program.expect_on(*events)
        change(program, "--exclude", "myapp.models")
        do(program, "fail 5")
        change(program, "--exclude", "", "--only", "myapp.models")
        do(program, "fail 3")
        found = maps(tracer.finish())
    assert found == {
        # The first five: what leaves refuse() crosses fail(), which catches it.
        "RAISE[fail]": 5,
        "EXCEPTION_HANDLED[fail]": 5,
        "RAISE[refuse]": 6,
        "PY_UNWIND[refuse]": 6,
        "RAISE[swallow]": 3,
        "EXCEPTION_HANDLED[swallow]": 3,
    }


def test_calls_are_filtered_by_the_caller(program: Program) -> None:
    script = " ".join(
        f"{probe(e)} {{ @{e}[str(arg0, 64)] = count(); }}" for e in ("CALL", "C_RETURN")
    )
    with Tracer(script, program.pid) as tracer:
        program.expect_on("CALL", "C_RETURN")
        change(program, "--only", "myapp.views")
        do(program, "show 10")
        do(program, "nap 3")
        found = maps(tracer.finish())
    assert found == {"CALL[show]": 10, "CALL[nap]": 3, "C_RETURN[nap]": 3}


def test_the_call_tree_has_what_is_accepted(program: Program) -> None:
    """Depths: <module>, main, work, show, load; filters shorten the stacks that there are."""
    script = (
        f"{probe('function__done')} "
        "{ @[str(arg0, 64)] = count(); @depth[str(arg0, 64)] = max(arg4); }"
    )
    with Tracer(script, program.pid) as tracer:
        program.expect_on(*FRAMES)
        change(program, "--only", "myapp")
        do(program, "show 10")
        found = maps(tracer.finish())
    assert found == {"[show]": 10, "[load]": 10, "depth[show]": 1, "depth[load]": 2}
    with Tracer(script, program.pid) as tracer:
        program.expect_on(*FRAMES)
        change(program, "--only", "")
        do(program, "show 10")
        found = maps(tracer.finish())
    assert found["depth[load]"] == 5
    assert found["[show]"] == found["[load]"] == 10


def test_slow_changes_while_it_is_watched(program: Program) -> None:
    script = f"{probe('function__slow')} {{ @[str(arg0, 64)] = count(); }}"
    with Tracer(script, program.pid) as tracer:
        program.expect_on(*FRAMES)
        assert "slow off," in change(program, "--slow", "off")
        do(program, "nap 5")
        assert "slow 15ms," in change(program, "--slow", "15ms")
        do(program, "nap 3")
        do(program, "show 100")
        found = maps(tracer.finish())
    assert found.pop("[nap]") == 3
    assert found.pop("[work]") in (1, 2)
    assert sum(found.values()) <= 2  # of hundreds: the machine may let one wait


def test_values_change_while_they_are_watched(program: Program) -> None:
    text = argument("PY_RETURN", 4)
    script = f"{probe('PY_RETURN')} {{ @[str(arg0, 64), str({text}, 64)] = count(); }}"
    with Tracer(script, program.pid) as tracer:
        program.expect_on("PY_RETURN")
        change(program, "--values", "off", "--only", "myapp.views:show")
        do(program, "show 3")
        change(program, "--values", "safe")
        do(program, "show 5")
        found = maps(tracer.finish())
    assert found == {"[show, ]": 3, "[show, 'shown']": 5}


def test_code_new_is_told_of_what_is_accepted_later() -> None:
    script = f'{probe("code__new")} {{ printf("new %s\\n", str(arg2, 64)); }}'
    with (
        filtered(PYUSDT_ONLY="myapp.views") as program,
        Tracer(script, program.pid) as tracer,
    ):
        program.expect_on("PY_START")
        do(program, "show 10")
        tracer.expect("^new show$")
        assert "new load" not in tracer.output
        change(program, "--only", "myapp")
        tracer.expect("^new load$")
        tracer.finish()


def test_the_launcher_is_never_told(tmp_path: Path) -> None:
    """Not even when an exception leaves the program through it."""
    script = tmp_path / "fails.py"
    script.write_text("def f(): raise ValueError(1)\nf()\n")
    with Program("-m", "pyusdt", "--wait", script) as program:
        program.expect("waits for a tracer")
        events = ["PY_UNWIND", "LINE", "PY_START", "PY_RETURN"]
        watched = ",".join(probe(event) for event in events)
        with Tracer(f"{watched} {{ @[str(arg1, 128)] = count(); }}", program.pid) as tracer:
            assert program.wait() == 1
            files = {name.strip("[]") for name in maps(tracer.finish())}
    assert str(script) in files
    assert not [name for name in files if "/pyusdt/" in name]
