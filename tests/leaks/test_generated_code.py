# SPDX-License-Identifier: Apache-2.0
"""A million functions that are made, run once and dropped, while they are traced."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Program, Tracer, maps, probe

pytestmark = pytest.mark.leaks

PROGRAM = Path(__file__).parent / "programs/generated.py"


@pytest.mark.usefixtures("bpftrace", "library")
def test_a_million_functions_leave_no_memory_and_no_wrong_name() -> None:
    name, value = "str(arg0, 16)", "str(arg4, 16)"
    line = PROGRAM.read_text().split("\n").index("def template():") + 1
    with Program(PROGRAM) as program:
        program.expect("^ready")
        with Tracer(
            f"{probe('PY_RETURN')} /arg2 == {line}/ {{ @all = count(); }}"
            f"{probe('PY_RETURN')} /arg2 == {line} && {name} != {value}/ {{ @wrong = count(); }}",
            program.pid,
        ) as tracer:
            program.expect_on("PY_RETURN")
            program.send("go")
            grown_kb = int(program.expect(r"^grown (-?\d+)$", deadline=240)[1])
            found = maps(tracer.finish())
    assert found["all"] == 1_050_000
    assert found.get("wrong", 0) == 0
    assert grown_kb < 20_000, "kB"
