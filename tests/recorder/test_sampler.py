# SPDX-License-Identifier: Apache-2.0
"""The sampler: where CPU time and waits go, against what the program itself has measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import DEADLINE, environment

import pyusdt
from pyusdt.recording import Recording

pytestmark = [pytest.mark.asan, pytest.mark.tsan]

PROGRAMS = Path(__file__).parent / "programs"
LONG = os.environ.get("LONG", "") not in ("", "0")
SECONDS = 1.0 if LONG else 0.5
# Half a second on a machine that does other things has few looks; LONG=1 is for one that is quiet.
SHARE, LEAST = (0.05, 0.015) if LONG else (0.2, 0.1)


def recorded(program: str | Path, *words: object, path: Path, **variables: str) -> str:
    """What the program says while it is recorded to `path`."""
    how = [program] if isinstance(program, Path) else ["-c", program]
    argv = [sys.executable, "-m", "pyusdt", "-o", path, *how, *words]
    done = subprocess.run(
        [str(word) for word in argv], cwd=path.parent, capture_output=True, text=True,
        env=environment(PYUSDT_VERBOSE="0", **variables), timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recording, Any]:
    path = tmp_path_factory.mktemp("truth") / "truth.pyusdt"
    said = recorded(PROGRAMS / "truth.py", SECONDS, path=path)
    return pyusdt.load(str(path)), json.loads(said)


def of(recording: Recording, name: str) -> Any:
    (function,) = (f for f in recording.functions if f.record.qualname == name)
    return function


def near(seconds: float, wanted: float, share: float = SHARE, least: float = LEAST) -> bool:
    return abs(seconds - wanted) <= max(share * wanted, least)


WAITS = {
    "nap": "sleep",
    "hold": "sleep",
    "want": "lock",
    "poll": "poll",
    "receive": "net",
    "read_pipe": "net",
    "await_child": "child",
    "sync": "disk",
}


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_is_of_its_class(told: tuple[Recording, Any], name: str) -> None:
    recording, truth = told
    waits = of(recording, name).total_waits
    waited = truth["functions"].get(name, {"waited": SECONDS})["waited"]
    least = max(LEAST, 0.06) if name == "sync" else LEAST  # many short ones: few are seen
    assert near(waits.get(WAITS[name], 0) / 1e9, waited, least=least), (waits, waited)
    assert all(
        ns < max(LEAST, 0.05) * 1e9
        for kind, ns in waits.items()
        if kind not in (WAITS[name], "runnable")
    )


@pytest.mark.parametrize("name", ["spin", "in_kernel", "fight_0", "fight_1"])
def test_cpu_time_is_where_it_was_spent(told: tuple[Recording, Any], name: str) -> None:
    recording, truth = told
    function = of(recording, name)
    cpu = truth["functions"][name]["cpu"]
    if name == "spin":
        cpu += sum(truth["functions"][fight]["cpu"] for fight in ("fight_0", "fight_1"))
    assert near(function.total_cpu_ns / 1e9, cpu)


@pytest.mark.parametrize("name", ["fight_0", "fight_1"])
def test_the_gil_is_no_other_lock(told: tuple[Recording, Any], name: str) -> None:
    recording, truth = told
    waits, wanted = of(recording, name).total_waits, truth["functions"][name]
    assert near(waits["gil"] / 1e9, wanted["waited"], least=max(LEAST, 0.05)), (waits, wanted)
    assert waits.get("lock", 0) < max(LEAST, 0.03) * 1e9


def test_what_was_waited_for_a_cpu(told: tuple[Recording, Any]) -> None:
    recording, truth = told
    for name in ("fight_0", "fight_1", "in_kernel"):
        waited = of(recording, name).total_waits.get("runnable", 0) / 1e9
        assert near(waited, truth["functions"][name]["runnable"], share=0.2, least=max(LEAST, 0.05))


def test_the_sums_are_the_clocks_own(told: tuple[Recording, Any]) -> None:
    recording, truth = told
    cpu = {thread.name: thread.charges.cpu_ns / 1e9 for thread in recording.threads}
    for name, seconds in truth["threads"].items():
        assert near(cpu[name], seconds, share=0.01, least=0.002)


@pytest.mark.unsanitized
def test_user_and_system_time_are_the_kernels(told: tuple[Recording, Any]) -> None:
    recording, truth = told
    (main,) = (t for t in recording.threads if t.name == "MainThread")
    assert near(main.charges.user_ns / 1e9, truth["user"], least=max(LEAST, 0.06))
    assert near(main.charges.system_ns / 1e9, truth["system"], least=max(LEAST, 0.06))
    kernel = of(recording, "in_kernel")
    assert kernel.system_ns > 0.7 * kernel.cpu_ns
