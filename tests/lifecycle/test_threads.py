# SPDX-License-Identifier: Apache-2.0
"""Threads of every kind, and what there is in place of them: each call is counted, by a tracer."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from harness import INSIDE, ROOT, Program, Tracer, maps, probe

pytestmark = [pytest.mark.usefixtures("bpftrace", "library"), pytest.mark.asan]

PROGRAMS = Path(__file__).parent / "programs"
COUNT = (
    f'{probe("PY_START")} /str(arg0, 8) == "work"/ {{ @starts = count(); }} '
    f'{probe("function__done")} /str(arg0, 8) == "work"/ {{ @done = count(); }}'
)
FOLLOWED = ("PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND")


def program(kind: str, n: int, *more: str | Path) -> Program:
    path = os.pathsep.join(map(str, (ROOT, INSIDE, PROGRAMS)))
    program = Program(PROGRAMS / "threads.py", kind, str(n), *more, PYTHONPATH=path)
    program.expect("^ready")
    return program


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory, tool) -> Path:  # type: ignore[no-untyped-def]
    library = tmp_path_factory.mktemp("native") / "native.so"
    source = PROGRAMS / "native.c"
    subprocess.run([tool("cc"), "-pthread", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


@pytest.mark.parametrize(
    ("kind", "n"),
    [
        ("short_lived", 3000),
        ("native", 5000),
        ("executor", 5000),
        ("greenlets", 5000),
        ("gevents", 5000),
        ("tasks", 10000),
    ],
)
def test_each_call_is_heard(kind: str, n: int, native: Path) -> None:
    """And where a tracer comes and goes in the midst of it, all goes well."""
    with program(kind, n, native) as threads:
        threads.send("on")
        with Tracer(COUNT, threads.pid) as tracer:
            threads.expect_on(*FOLLOWED)
            tracer.finish()
        threads.expect_off()
        threads.send("once")
        threads.expect("^done 1 1$")
        threads.expect("^done 1 1$")
        with Tracer(COUNT, threads.pid) as tracer:
            threads.expect_on(*FOLLOWED)
            threads.send("once")
            threads.expect("^done 1 1$")
            assert maps(tracer.finish()) == {"starts": n, "done": n}
        assert threads.wait() == 0


def test_threads_that_are_blocked_while_a_tracer_attaches() -> None:
    """The function that they are in began untraced. Its end is heard, and all that follows."""
    ends = f'{probe("PY_RETURN")} /str(arg0, 8) == "wait"/ {{ @ends = count(); }}'
    with program("blocked", 200) as threads:
        threads.send("once")
        threads.expect("^blocked")
        with Tracer(f"{COUNT} {ends}", threads.pid) as tracer:
            threads.expect_on(*FOLLOWED)
            threads.send("go")
            threads.expect("^done 1 1$")
            assert maps(tracer.finish()) == {"starts": 200, "done": 200, "ends": 200}
        assert threads.wait() == 0
