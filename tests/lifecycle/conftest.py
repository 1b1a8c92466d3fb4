# SPDX-License-Identifier: Apache-2.0
"""Programs that are run without pyusdt, with it idle, with every event on, and recorded."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest
from harness import DEADLINE, inside

# The first line of a program: as many lines in each, so that tracebacks are the same.
PRELUDES = {
    "without": "pass",
    "idle": "import pyusdt",
    "watched": "import semaphores; semaphores.up(*semaphores.ALL); import pyusdt",
    "recorded": "import pyusdt; pyusdt.record(c_calls=True).__enter__()",
}


class Outcome(NamedTuple):
    stdout: str
    stderr: str
    code: int  # negative: the signal that killed it


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """run(PROGRAM, MODE, OPTION..., VARIABLE=VALUE...): its outcome. PROGRAM: a file or a text."""

    def run_program(source: str | Path, mode: str, *options: str, **variables: str) -> Outcome:
        script = tmp_path / "program.py"
        script.write_text(f"{PRELUDES[mode]}\n{text_of(source)}")
        done = subprocess.run(
            [sys.executable, *options, script],
            env=inside(**variables),
            cwd=tmp_path,
            text=True,
            errors="backslashreplace",
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
        return Outcome(comparable(done.stdout), comparable(done.stderr), done.returncode)

    return run_program


def text_of(program: str | Path) -> str:
    return program.read_text() if isinstance(program, Path) else dedent(program)


def comparable(text: str) -> str:
    """Without addresses and process ids."""
    return re.sub(r"0x[0-9a-f]+|pid=\d+", "...", text)


@pytest.fixture
def same(run: Run) -> Callable[..., Outcome]:
    """same(PROGRAM, OPTION..., VARIABLE=VALUE...): the outcome, alike in every mode."""

    def same_outcome(source: str | Path, *options: str, **variables: str) -> Outcome:
        without = run(source, "without", *options, **variables)
        assert run(source, "idle", *options, **variables) == without
        assert run(source, "watched", *options, **variables) == without
        return without

    return same_outcome
