# SPDX-License-Identifier: Apache-2.0
"""Marks and steps through a real bpftrace."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Program, Tracer, maps, probe

pytestmark = [pytest.mark.usefixtures("bpftrace", "library"), pytest.mark.asan]

PROGRAM = Path(__file__).parent / "programs/steps.py"
LIMIT = 1020  # bytes of a name, before "..."


def steps(**variables: str) -> Program:
    program = Program(PROGRAM, **variables)
    program.expect("^ready")
    return program


def do(program: Program, command: str) -> None:
    program.send(command)
    program.expect(f"^done {command}$")


def test_counts_are_exact() -> None:
    script = "".join(
        f"{probe(name)} {{ @{name}[str(arg0, 32)] = count(); }}"
        for name in ("step__start", "step__done", "mark")
    )
    with steps() as program:
        do(program, "counts")  # nobody listens
        with Tracer(script, program.pid) as tracer:
            do(program, "counts")
            found = maps(tracer.finish())
        do(program, "counts")
    passes = {"work": 7, "outer": 7, "pass": 700, "task": 10, "inner": 10, "fail": 1, "failing": 4}
    expected = {
        f"step__{end}[{name}]": n for name, n in passes.items() for end in ("start", "done")
    }
    assert found == {**expected, "mark[count]": 700}


VALUES = """
| 0
0 0
1 1
-7 -7
True 1
False 0
9223372036854775807 9223372036854775807
-9223372036854775808 -9223372036854775808
9223372036854775808 0
-9223372036854775809 0
1000000000000000000000000000000 0
2.5 2
-2.9 -2
1e+18 1000000000000000000
1e+19 0
-1e+19 0
nan 0
inf 0
-inf 0
'text' 0
'naïve €' 0
'' 0
b'bytes' 0
(1, 'two') 0
[<__main__.Odd>] 0
<__main__.Odd> 0
<http.HTTPStatus> 200
| 0
"""


def marks(**variables: str) -> list[str]:
    """The text and the integer of each value."""
    script = f'{probe("mark")} {{ printf("%s|%s|%lld\\n", str(arg0, 32), str(arg1, 64), arg2); }}'
    with steps(**variables) as program, Tracer(script, program.pid) as tracer:
        do(program, "values")
        lines = [tracer.expect(r"^value\|(.*\|.*)$")[1] for _ in VALUES.split("\n")[1:-1]]
        tracer.finish()
    return lines


def expected_marks() -> list[str]:
    rows = (line.rsplit(" ", 1) for line in VALUES.split("\n")[1:-1])
    return [f"{text.removeprefix('|')}|{integer}" for text, integer in rows]


def test_values() -> None:
    assert marks() == expected_marks()


def test_values_by_repr_where_that_was_asked_for() -> None:
    expected = [line.replace("<__main__.Odd>", "odd") for line in expected_marks()]
    expected[-2] = "<HTTPStatus.OK: 200>|200"
    assert marks(PYUSDT_VALUES="repr") == expected


def test_values_without_texts_where_that_was_asked_for() -> None:
    assert marks(PYUSDT_VALUES="off") == [f"|{line.split('|')[1]}" for line in expected_marks()]


@pytest.mark.parametrize("name", ["mark", "step__start", "step__done"])
def test_names(name: str) -> None:
    """The beginning of each, and the four bytes where a long one is cut."""
    script = (
        f'{probe(name)} {{ printf("|%s|%lx\\n", str(arg0, 32), *(uint32*)uptr(arg0 + {LIMIT})); }}'
    )
    with steps() as program, Tracer(script, program.pid) as tracer:
        do(program, "names")
        lines = [tracer.expect(r"^\|(.*)\|(.*)$") for _ in range(7)]
        tracer.finish()
    assert [line[1] for line in lines[:5]] == ["", "plain", "naïve €𝄞", r"a\x00b", r"lone \udc80"]
    for line, character in zip(lines[5:], "x€", strict=True):
        assert line[1].startswith(character * 10)
        assert line[2] == "2e2e2e"  # "...", NUL


def test_elapsed_is_the_time_of_the_block() -> None:
    errors = []
    script = f'{probe("step__done")} {{ printf("%s %lld\\n", str(arg0, 32), arg1); }}'
    with steps() as program, Tracer(script, program.pid) as tracer:
        for _ in range(5):  # the machine may be busy during one of them
            program.send("timed")
            inner, outer = map(int, program.expect(r"^timed (\d+) (\d+)$").groups())
            elapsed = int(tracer.expect(r"^timed (\d+)$")[1])
            assert inner * 0.98 <= elapsed <= outer * 1.02
            errors.append(abs(elapsed / inner - 1))
        tracer.finish()
    assert min(errors) < 0.02, errors


def test_a_step_that_goes_on_when_the_tracer_comes_is_told_when_it_ends() -> None:
    script = f'{probe("step__done")} {{ printf("%s %lld\\n", str(arg0, 32), arg1); }}'
    with steps() as program:
        program.send("during")
        program.expect("^during$")
        with Tracer(script, program.pid) as tracer:
            program.send("go on")
            assert int(tracer.expect(r"^during (\d+)$")[1]) > 0
            tracer.finish()
