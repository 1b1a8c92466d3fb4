# SPDX-License-Identifier: Apache-2.0
"""Other tools in the same process, before us and after us: both hear what they hear alone."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from harness import inside

pytestmark = pytest.mark.asan

PROGRAMS = Path(__file__).parent / "programs"


class Tool(NamedTuple):
    program: str  # of programs/peers
    module: str = "sys"
    since: tuple[int, int] = (3, 12)


TOOLS = {
    "cProfile": Tool("c_profile"),
    "setprofile": Tool("setprofile"),
    "profiling.tracing": Tool("profiling_tracing", "profiling", (3, 15)),
    "coverage": Tool("coverage_py", "coverage"),
    "viztracer": Tool("viz_tracer", "viztracer"),
    "line_profiler": Tool("lines", "line_profiler"),
    "settrace": Tool("settrace"),
    "pdb": Tool("debugger"),
    "bdb with monitoring": Tool("bdb_monitoring", "bdb", (3, 14)),
    "a tool of sys.monitoring": Tool("monitoring"),
}


@pytest.mark.parametrize("order", ["before us", "after us", "after our import"])
@pytest.mark.parametrize("name", TOOLS)
def test_both_hear_what_they_hear_alone(run, name, order):
    tool = TOOLS[name]
    version = f"Python {platform.python_version()}"
    if sys.version_info < tool.since:
        pytest.skip(f"{version} has no {name}")
    if importlib.util.find_spec(tool.module) is None:
        pytest.skip(f"{version}: there is no {name} for it")
    answers = []
    for how in ("alone", order):
        outcome = run(
            PROGRAMS / "peers/main.py",
            "without",
            TOOL=tool.program,
            ORDER=how,
            PYTHONPATH=os.pathsep.join([inside()["PYTHONPATH"], str(PROGRAMS)]),
            COVERAGE_CORE="sysmon",
            PYUSDT_ONLY="__main__:work",
        )
        assert (outcome.stderr, outcome.code) == ("", 0)
        answers.append(json.loads(outcome.stdout))
    (alone, _), (beside, fired) = answers
    assert alone
    assert beside == alone
    assert [fired[p] for p in ("PY_START", "PY_RETURN", "RAISE", "function__done")] == [22] * 4
    assert fired["LINE"] == 22 * 5
