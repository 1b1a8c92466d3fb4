# SPDX-License-Identifier: Apache-2.0
"""Pythons that pyusdt cannot work in: the import says why, and what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from harness import ROOT

pytestmark = [pytest.mark.once, pytest.mark.asan]

REMEDY = "run the program with CPython 3.12 or newer on Linux"
TOO_OLD = [f"3.{minor}" for minor in range(6, 12)]


def found(version: str) -> Path | None:
    """An interpreter of that version on PATH or under pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    there = [*sorted(pyenv.glob(f"versions/{version}.*/bin/python")), f"/usr/bin/python{version}"]
    return next((Path(path) for path in there if Path(path).exists()), None)


def last_line(python: Path | str, *argv: str) -> str:
    done = subprocess.run(
        [python, "-B", *argv], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("argv", [["-c", "import pyusdt"], ["-m", "pyusdt", "status"]])
@pytest.mark.parametrize("version", TOO_OLD)
def test_an_older_python(version: str, argv: list[str]) -> None:
    python = found(version)
    if python is None:
        pytest.skip(f"Python {version} is not here")
    line = last_line(python, *argv)
    assert line.startswith(f"ImportError: pyusdt needs sys.monitoring and Python {version}.")
    assert line.endswith(f" has none: {REMEDY}")


def test_pypy() -> None:
    python = shutil.which("pypy3")
    if python is None:
        pytest.skip("Python here is CPython only: no pypy3")
    line = last_line(python, "-c", "import pyusdt")
    assert line == f"ImportError: pyusdt needs CPython and this is pypy: {REMEDY}"
