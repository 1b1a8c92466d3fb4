# SPDX-License-Identifier: Apache-2.0
"""Greenlets take turns on a thread: each has its own callers and times, and waits are nobody's."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import missing
from harness import DEADLINE, environment

PROGRAMS = Path(__file__).parent / "programs"
WORKERS, ROUNDS = 5, 3
MS = 1_000_000
KINDS = ["greenlet", "gevent", "gevent+patched", "eventlet", "eventlet+patched"]


def run(program: str, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, PROGRAMS / program, *arguments],
        env=environment(PYUSDT_VERBOSE="0"),
        text=True,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def recorded(kind: str) -> Any:
    package = kind.partition(":")[0].partition("+")[0]
    if importlib.util.find_spec(package) is None:
        missing(f"{package} is not installed")
    return run("greenlets.py", kind)


@pytest.mark.parametrize("kind", [*KINDS, "gevent:late", "greenlet:late", "gevent:late,c"])
def test_each_greenlet_has_its_own_stack(kind: str) -> None:
    found = recorded(kind)
    functions = found["functions"]
    more = 2 if kind.startswith("greenlet") else 0  # begun, and ended while they waited
    assert {name: functions[name]["calls"] for name in ("cheap", "heavy", "expects", "fails")} == {
        "cheap": WORKERS + more,
        "heavy": WORKERS,
        "expects": 1,
        "fails": 1,
    }
    assert functions["spin"]["callers"] == {"heavy": WORKERS * ROUNDS, "fails": 1}
    assert functions["pause"]["callers"] == {
        "cheap": WORKERS * ROUNDS + more,
        "heavy": WORKERS * ROUNDS,
        "fails": 1,
        "expects": 1,
    }
    assert found["losses"] == {}
    if not kind.endswith(",c"):
        times_are_true(functions, found["busy"])


def times_are_true(functions: dict[str, dict[str, int]], busy: int) -> None:
    """Five that wait for 60 ms each are not charged with it, nor with what others do meanwhile. The
    bounds are wide, for others may have the processor between an event and the program's clock."""
    assert functions["spin"]["self"] == pytest.approx(busy, abs=15 * MS)
    below = functions["heavy"]["total"] + functions["fails"]["total"]
    assert below == pytest.approx(busy, abs=50 * MS)
    assert functions["heavy"]["self"] < 25 * MS
    assert functions["cheap"]["total"] < 100 * MS


def test_a_hook_of_the_program_goes_on() -> None:
    """Its own greenlet.settrace() is called as ever, may raise, and is there again afterwards."""
    pytest.importorskip("greenlet")
    found = run("greenlet_hook.py")
    assert found == {
        "events": ["switch", "switch", "throw", "switch"],
        "raised": "LookupError",
        "after": [True, True],
    }
