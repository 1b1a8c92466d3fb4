# SPDX-License-Identifier: Apache-2.0
"""Lines that are recorded, as tracers have them: where a kernel event happens, and beside LINE."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import DEADLINE, LINE_EVENTS, Program, Tracer, environment, maps, probe

pytestmark = [pytest.mark.usefixtures("bpftrace", "library"), pytest.mark.asan]

PROGRAMS = Path(__file__).parent / "programs"
FRAMES = ["PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND"]
LINES_AND_FRAMES = [*FRAMES, "LINE", "RAISE"]
# Offsets as include/pyusdt_node.h documents them.
GETPPID = (
    f"{probe('thread__state')}"
    ' { @slot[arg0] = arg1; printf("state %d %s\\n", arg0, str(arg2)); }'
    " tracepoint:syscalls:sys_enter_getppid /@slot[tid]/ {"
    " $node = *(uint64*)uptr(@slot[tid]); $parent = *(uint64*)uptr($node);"
    ' if (*(int32*)uptr($node + 48) == 0 && str(*(uint64*)uptr($node + 8), 32) == "asks") {'
    ' @[*(int32*)uptr($parent + 48), "asks"] = count();'
    " } else {"
    ' @[*(int32*)uptr($node + 48), ""] = count(); } }'
    " END { clear(@slot); }"
)


def marked(name: str, function: str = "") -> dict[int, dict[str, int]]:
    """How often each line does what it says behind `#:`: "" is itself, or what it calls."""
    found: dict[int, dict[str, int]] = {}
    within = ""
    for number, text in enumerate((PROGRAMS / name).read_text().splitlines(), 1):
        within = (re.match(r"def (\w+)", text) or [text, within])[1]
        words = text.partition("  #: ")[2]
        if words and function in ("", within):
            found[number] = {n: int(times) for times, n in re.findall(r"(\d+) ?(\w*)", words)}
    return found


def lines_of_system_calls(tmp_path: Path, command: str) -> dict[int, dict[str, int]]:
    """Those that the kernel sees while a command of lined.py runs, whose lines are recorded."""
    words = ["-o", tmp_path / "out.pyusdt", "--lines", "__main__:in_*"]
    with Program("-m", "pyusdt", *words, PROGRAMS / "lined.py") as program:
        program.expect("^ready")
        with Tracer(GETPPID, program.pid) as tracer:
            tracer.expect(rf"^state {program.pid} MainThread$")
            program.send(command)
            program.expect("^done")
            found = maps(tracer.finish())
        assert program.wait() == 0
    lines: dict[int, dict[str, int]] = {}
    for key, n in found.items():
        line, name = key.strip("[]").split(", ")
        lines.setdefault(int(line), {})[name] = n
    return lines


def test_a_system_call_knows_its_line(tmp_path: Path) -> None:
    assert lines_of_system_calls(tmp_path, "all") == marked("lined.py")


def test_a_system_call_of_a_new_thread_knows_its_line(tmp_path: Path) -> None:
    wanted = marked("lined.py", "in_recursion")
    assert lines_of_system_calls(tmp_path, "thread") == wanted


TRACED = f"{probe('LINE')} {{ @[str(arg0, 64), arg2] = count(); }}"
ONLY = "__main__:traced,__main__:counted"


def change(program: Program, *options: str) -> None:
    """`pyusdt set`: in effect when it ends."""
    argv = [sys.executable, "-m", "pyusdt", "set", "-p", str(program.pid), *options]
    environ = {**environment(), "PYUSDT_VERBOSE": "0"}
    subprocess.run(argv, capture_output=True, timeout=DEADLINE, env=environ, check=True)


@pytest.fixture
def program() -> Iterator[Program]:
    with Program(PROGRAMS / "lined_twice.py", PYUSDT_ONLY=ONLY) as program:
        program.expect("^ready")
        yield program


def do(program: Program, command: str) -> Counter[tuple[str, int]]:
    """What the program says of lines meanwhile."""
    program.send(command)
    said = program.expect(rf"(?s)(.*?)^done {command.split()[0]}$")[1]
    found: Counter[tuple[str, int]] = Counter()
    for name, line, n in re.findall(r"^line (\w+) (\d+) (\d+)$", said, re.MULTILINE):
        found[name, int(line)] = int(n)
    return +found


def fired(tracer: Tracer) -> Counter[tuple[str, int]]:
    found: Counter[tuple[str, int]] = Counter()
    for key, n in maps(tracer.finish()).items():
        if match := re.fullmatch(r"\[(\w+), (\d+)\]", key):
            found[match[1], int(match[2])] = n
    return found


def times(n: int, *functions: str) -> Counter[tuple[str, int]]:
    """The lines of so many calls of each."""
    return Counter(
        {
            (name, line): n * hits[""]
            for name in functions
            for line, hits in marked("lined_twice.py", name).items()
        }
    )


def test_a_tracer_with_a_filter_beside_a_recording(program: Program) -> None:
    """Its probe fires for what the filter accepts, and the recording has its function alone."""
    do(program, "start a")
    do(program, "work 1")
    with Tracer(TRACED, program.pid) as tracer:
        program.expect_on(*LINES_AND_FRAMES)
        do(program, "work 100")
        # A filter is the recorder's, too.
        change(program, "--only", "__main__:traced")
        do(program, "work 1000")
        change(program, "--only", ONLY)
        do(program, "work 10")
        found = fired(tracer)
    do(program, "work 1")
    assert found == times(1110, "traced") + times(110, "counted")
    assert do(program, "stop a") == times(112, "counted")


def test_recordings_end_and_the_tracer_goes_on(program: Program) -> None:
    with Tracer(TRACED, program.pid) as tracer:
        program.expect_on(*LINE_EVENTS)
        for name in "ab":
            do(program, "work 100")
            do(program, f"start {name}")
            do(program, "work 10")
            assert do(program, f"stop {name}") == times(10, "counted")
        do(program, "work 1000")
        assert fired(tracer) == times(1220, "traced", "counted")


def test_the_tracer_ends_and_the_recording_goes_on(program: Program) -> None:
    do(program, "start a")
    for _ in range(2):
        with Tracer(TRACED, program.pid) as tracer:
            program.expect_on(*LINES_AND_FRAMES)
            do(program, "work 10")
            assert fired(tracer) == times(10, "traced", "counted")
        program.expect_on(*FRAMES, "RAISE")
        do(program, "work 100")
    assert do(program, "stop a") == times(220, "counted")
