# SPDX-License-Identifier: Apache-2.0
"""Large blocks, as they are allocated, through a real bpftrace."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import ROOT, Program, Tracer, maps, probe

pytestmark = [pytest.mark.usefixtures("bpftrace", "library"), pytest.mark.asan]

PROGRAM = Path(__file__).parent / "programs/large.py"
SOURCE = ROOT / "tests/recorder/programs/takes.c"
MIB = 1 << 20
FIRES = f"{probe('mem__large')} {{ @[str(arg0, 64), arg4] = count(); }}"
EACH = {
    "[of_mmap, 3145728]": 1,
    "[of_malloc, 5242880]": 1,
    "[of_realloc, 4194304]": 1,
    "[of_list, 2097152]": 1,
    "[(native), 6291456]": 1,
    "[just_enough, 1048576]": 1,
}


@pytest.fixture(scope="module")
def takes(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("takes") / "libtakes.so"
    subprocess.run([tool("gcc"), "-shared", "-fPIC", "-O1", SOURCE, "-o", path], check=True)
    return path


def large(takes: Path, **variables: str) -> Program:
    path = f"{ROOT}:{ROOT / 'tests'}"
    program = Program(PROGRAM, TAKES=str(takes), PYTHONPATH=path, **variables)
    program.expect("^ready")
    return program


def do(program: Program, *commands: str) -> None:
    for command in commands:
        program.send(command)
        program.expect(f"^done {command.split()[0]}$")


def found(tracer: Tracer) -> dict[str, int]:
    """What fired, but for what the program waited with."""
    counts = maps(tracer.finish())
    return {name: n for name, n in counts.items() if "wait_until_it_fires" not in name}


def times(n: int) -> dict[str, int]:
    return {name: n * count for name, count in EACH.items()}


def without_bytes(counts: dict[str, int], n: int) -> dict[str, int]:
    """Those of a bytes object have the object's head, whose size is Python's."""
    names = [name for name in counts if name.startswith("[of_python, 20971")]
    assert [counts.pop(name) for name in names] == [n]
    return counts


def test_each_large_block_fires_once(takes: Path) -> None:
    with large(takes) as program:
        do(program, "do allocate")  # nobody watches
        with Tracer(FIRES, program.pid) as tracer:
            do(program, "fires", *["do allocate"] * 7)
            counts = found(tracer)
        do(program, "do allocate")
    assert without_bytes(counts, 7) == times(7)


def test_what_fires_says_where_and_what(takes: Path) -> None:
    script = (
        f'{probe("mem__large")} /str(arg0, 64) == "of_malloc"/ '
        '{ printf("%s %d %d %lld\\n", str(arg1, 64), arg2, arg3 > 0, arg4); }'
    )
    line = PROGRAM.read_text().splitlines().index("def of_malloc() -> None:") + 1
    with large(takes) as program, Tracer(script, program.pid) as tracer:
        do(program, "fires", "do of_malloc")
        said = tracer.expect(r"^(.+) (\d+) (\d) (\d+)$")
        tracer.finish()
    assert str(PROGRAM).startswith(said[1])  # cut, where it is long
    assert said.groups()[1:] == (str(line), "1", str(5 * MIB))


def test_the_threshold_changes_while_it_is_watched(takes: Path) -> None:
    with (
        large(takes, PYUSDT_LARGE_BYTES="1MiB") as program,
        Tracer(FIRES, program.pid) as tracer,
    ):
        do(program, "fires", "do quarter", "large 256KiB", "do quarter", "do quarter")
        do(program, "large 262145", "do quarter", "large 5MiB", "do allocate")
        counts = found(tracer)
    assert counts == {"[quarter, 262144]": 2, "[of_malloc, 5242880]": 1, "[(native), 6291456]": 1}


def test_hooks_are_there_while_it_is_watched_alone(takes: Path) -> None:
    with large(takes) as program:
        for _ in range(3):
            with Tracer(FIRES, program.pid) as tracer:
                do(program, "fires")
                program.send("hooks")
                assert program.expect(r"^hooks (.*)$")[1] == "[true, true, true, true]"
                tracer.finish()
            do(program, "unhooked")


@pytest.mark.parametrize("first", ["tracer", "recording"])
def test_a_recording_at_the_same_time(first: str, takes: Path) -> None:
    with large(takes) as program:
        if first == "recording":
            do(program, "record all")
        with Tracer(FIRES, program.pid) as tracer:
            do(program, "fires")
            if first == "tracer":
                do(program, "record all")
            do(program, "do allocate", "do allocate")
            if first == "tracer":
                program.send("recorded")
                assert program.expect(r"^recorded (\d+)$")[1] == "2"
                do(program, "do allocate")
            counts = found(tracer)
        if first == "recording":
            program.send("recorded")
            assert program.expect(r"^recorded (\d+)$")[1] == "2"
        do(program, "unhooked")
    n = 3 if first == "tracer" else 2
    assert without_bytes(counts, n) == times(n)


def test_native_blocks_are_not_in_a_recording_of_pythons(takes: Path) -> None:
    with large(takes) as program:
        with Tracer(FIRES, program.pid) as tracer:
            do(program, "fires", "record python", "do allocate")
            program.send("recorded")
            assert program.expect(r"^recorded (\d+)$")[1] == "0"
            counts = found(tracer)
        do(program, "unhooked")
    assert without_bytes(counts, 1) == times(1)


def test_the_child_of_a_fork(takes: Path) -> None:
    with large(takes) as program:
        with Tracer(FIRES) as tracer:
            do(program, "fires", "fork", "fork", "do allocate")
            counts = found(tracer)
        do(program, "unhooked")
    assert without_bytes(counts, 3) == times(3)


def test_the_next_program_of_an_exec(takes: Path) -> None:
    with large(takes) as program, Tracer(FIRES) as tracer:
        do(program, "fires", "do allocate")
        program.send("exec")
        program.expect("^ready")
        do(program, "fires", "do allocate")
        counts = found(tracer)
    assert without_bytes(counts, 2) == times(2)
