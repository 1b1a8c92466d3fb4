# SPDX-License-Identifier: Apache-2.0
"""A million functions that are made, run once and dropped, while they are traced."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Program, Tracer, maps, probe

pytestmark = pytest.mark.leaks

SCRIPT = '''
import sys
import pyusdt

def resident_kb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

def template():
    return name

def make(first, n):
    """Functions whose name is the text of what they return."""
    code = template.__code__
    for i in range(first, first + n):
        name = f"f{i}"
        function = type(make)(code.replace(co_name=repr(name)), {"name": name})
        function()

print("ready", flush=True)
sys.stdin.readline()
make(0, 50_000)
before = resident_kb()
make(50_000, 1_000_000)
print("grown", resident_kb() - before, flush=True)
'''


@pytest.mark.usefixtures("bpftrace", "library")
def test_a_million_functions_leave_no_memory_and_no_wrong_name(tmp_path: Path) -> None:
    script = tmp_path / "generated.py"
    script.write_text(SCRIPT)
    name, value = "str(arg0, 16)", "str(arg4, 16)"
    with Program(script) as program:
        program.expect("^ready")
        with Tracer(
            f"{probe('PY_RETURN')} /arg2 == 9/ {{ @all = count(); }}"
            f"{probe('PY_RETURN')} /arg2 == 9 && {name} != {value}/ {{ @wrong = count(); }}",
            program.pid,
        ) as tracer:
            program.expect_on("PY_RETURN")
            program.send("go")
            grown_kb = int(program.expect(r"^grown (-?\d+)$", deadline=240)[1])
            found = maps(tracer.finish())
    assert found["all"] == 1_050_000
    assert found.get("wrong", 0) == 0
    assert grown_kb < 20_000, "kB"
