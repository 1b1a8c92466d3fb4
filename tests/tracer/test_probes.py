# SPDX-License-Identifier: Apache-2.0
"""Every argument of every event's probe, through a real bpftrace, against a second opinion."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harness import LINE_EVENTS, Program, Tracer, argument, probe

pytestmark = pytest.mark.asan

PROGRAMS = Path(__file__).parent / "programs"

# The arguments of each probe as tracers know them: people's scripts count on this order.
ENTRY = "function file line offset qualname id"
VALUE = "function file line offset text qualname id"
ARGUMENTS = {
    "PY_START": ENTRY,
    "PY_RESUME": ENTRY,
    "PY_RETURN": VALUE,
    "PY_YIELD": VALUE,
    "PY_THROW": VALUE,
    "PY_UNWIND": VALUE,
    "CALL": VALUE,
    "C_RETURN": VALUE,
    "C_RAISE": VALUE,
    "LINE": "function file line qualname id",
    "RAISE": VALUE,
    "RERAISE": VALUE,
    "EXCEPTION_HANDLED": VALUE,
    "STOP_ITERATION": VALUE,
}
NEEDS = {
    "C_RETURN": ["CALL", "C_RETURN"],
    "C_RAISE": ["CALL", "C_RAISE"],
    "LINE": LINE_EVENTS,
}


def script(event: str) -> str:
    """One line an event, its arguments between bars."""
    prints = []
    for i, name in enumerate(ARGUMENTS[event].split()):
        value = argument(event, i)
        if name in ("line", "offset", "id"):
            prints.append(f'printf("%d|", {value});')
        else:
            prints.append(f'printf("%s|", str({value}, 128));')
    return f'{probe(event)} {{ printf("@|"); {" ".join(prints)} printf("\\n"); }}'


def run(event: str) -> tuple[list[str], list[str], list[list[str]]]:
    """What was expected, what was traced (without ids), and the traced fields."""
    with Program(PROGRAMS / "oracle.py", event) as program:
        program.expect("^ready")
        with Tracer(script(event), program.pid) as tracer:
            program.expect_on(*NEEDS.get(event, [event]))
            program.send("go")
            program.expect("^told")
            expected = [
                line.removeprefix("expected ").encode().decode("unicode_escape")
                for line in program.output.splitlines()
                if line.startswith("expected ")
            ]
            # bpftrace 0.17 does not print at Ctrl-C what is still in its buffers.
            for line in expected:
                tracer.expect(re.escape(f"@|{line}|"))
            tracer.finish()
        program.send("bye")
        assert program.wait() == 0
    fields = [line.split("|")[1:-1] for line in tracer.output.splitlines() if line.startswith("@|")]
    fields = [f for f in fields if f[1].endswith("scenario.py") or f[1].startswith("<odd")]
    return expected, ["|".join(f[:-1]) for f in fields], fields


@pytest.mark.usefixtures("bpftrace", "library")
@pytest.mark.parametrize("event", ARGUMENTS)
def test_every_argument_of_every_event(event: str) -> None:
    expected, traced, fields = run(event)
    assert expected
    assert traced == expected
    qualname = ARGUMENTS[event].split().index("qualname")
    ids = {(f[-1], f[qualname], f[1]) for f in fields}
    assert len({i for i, _, _ in ids}) == len(ids), "one id, one function"
    assert all(int(i) > 0 for i, _, _ in ids)
