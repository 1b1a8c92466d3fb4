# SPDX-License-Identifier: Apache-2.0
"""Starts and stops in great number, on a busy machine, while a tracer hears every probe."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness import DEADLINE, LIBRARY, Program, Tracer, environment, maps, probe
from notes import notes

from .conftest import Outcome, comparable, text_of
from .test_exit import ENDINGS

pytestmark = [pytest.mark.usefixtures("bpftrace", "library"), pytest.mark.asan]

PROGRAMS = Path(__file__).parent / "programs"

LONG = bool(os.environ.get("LONG"))
TIMES = 1000 if LONG else 60
AT_ONCE = 8
# Each thread's slot is still read at its process's end.
EVERYTHING = (
    ",".join(probe(name) for name in notes(LIBRARY))
    + " { @hits[probe] = count(); }"
    + probe("thread__state")
    + " { @slot[arg0] = arg1; }"
    + "tracepoint:syscalls:sys_enter_exit_group /@slot[tid]/ {"
    + " @depth = max(*(uint32*)uptr(*(uint64*)uptr(@slot[tid]) + 32)); delete(@slot[tid]); }"
    + "END { clear(@slot); }"
)


def outcome(script: Path) -> Outcome:
    done = subprocess.run(
        [sys.executable, script],
        env={**environment(), "PYUSDT_VERBOSE": "0"},
        cwd=script.parent,
        text=True,
        errors="backslashreplace",
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    return Outcome(comparable(done.stdout), comparable(done.stderr), done.returncode)


def scripts(directory: Path, first_line: str) -> list[Path]:
    directory.mkdir()
    paths = []
    for i, ending in enumerate(ENDINGS.values()):
        paths.append(directory / f"ending_{i}.py")
        paths[-1].write_text(f"{first_line}\n{text_of(ending.source)}")
    return paths


def test_processes(tmp_path: Path) -> None:
    """Each ends with the code, and having said the words, with which it ends without pyusdt."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        # The same path for both: it is in the tracebacks.
        alone = list(pool.map(outcome, scripts(tmp_path / "program", "pass")))
        (tmp_path / "program").rename(tmp_path / "alone")
        traced = scripts(tmp_path / "program", "import pyusdt")
        with Tracer(EVERYTHING) as tracer:
            ends = pool.map(outcome, [traced[i % len(traced)] for i in range(TIMES)])
            for i, end in enumerate(ends):
                assert end == alone[i % len(alone)], traced[i % len(traced)].read_text()
            found = maps(tracer.finish())
    heard = {name.rpartition(":")[2].strip("]") for name in found if name.startswith("hits[")}
    assert heard >= {"PY_START", "RAISE", "function__done", "thread__state", "PY_UNWIND"}
    assert found["depth"] > 0


def test_in_one_process() -> None:
    """While threads work whose slots are live, and whose stacks are deep."""
    with Program(PROGRAMS / "restarts.py", str(TIMES), PYUSDT_VERBOSE="0") as program:
        program.expect("^ready")
        with Tracer(EVERYTHING) as tracer:
            program.send("")
            assert program.wait() == 0
            assert maps(tracer.finish())
    assert program.output == "ready\n"
