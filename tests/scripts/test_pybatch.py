# SPDX-License-Identifier: Apache-2.0
"""pybatch, which counts what pycalls counts."""

from __future__ import annotations

import pytest
from harness import ROOT, Program, Tracer, maps, probe
from scripts.trace import CALLED, PROGRAM, answer, counts, tables

pytestmark = pytest.mark.usefixtures("bpftrace", "library")


def test_a_program_to_its_end() -> None:
    output = answer("pybatch", "-f", "json", does=("calls",), PYUSDT_ONLY="__main__")
    assert counts(tables(output)["pybatch"], "calls") == CALLED


def test_a_process_that_goes_on() -> None:
    """Whether all have got their name by the time of Ctrl-C or not, all are there."""
    words = ("waits", "calls", "waits")
    with Program("-m", "pyusdt", PROGRAM, *words, PYUSDT_ONLY="__main__:work") as program:
        program.expect("^ready")
        library = f"/proc/{program.pid}/root{(ROOT / 'libpyusdt.so').resolve()}"
        script = ROOT / "scripts/pybatch.bt"
        told = f'{probe("events")} {{ printf("told %d\\n", arg1); }}'
        with (
            Tracer(script, program.pid, parameters=[library]) as tracer,
            Tracer(told, program.pid) as second,
        ):
            program.expect_on(
                "PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND"
            )
            program.send("")
            program.expect("^ready")
            records = 0
            while records < 2 * 23:
                records += int(second.expect(r"^told (\d+)$")[1])
            second.finish()
            found = maps(tracer.finish())
    assert all(key.startswith(("calls[__main__, work, ", "unnamed[")) for key in found)
    assert sum(found.values()) == 23
