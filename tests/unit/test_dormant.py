# SPDX-License-Identifier: Apache-2.0
"""What the system does not have: a thread for us, a module of Python's. It is said in one line."""

import subprocess
import sys
from pathlib import Path

import pytest
from harness import DEADLINE, environment

from pyusdt.errors import ExitCode

PROGRAMS = Path(__file__).parent / "programs"


def run(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *words], env={**environment(), "PYUSDT_VERBOSE": "0"},
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


def test_without_a_thread_the_program_goes_on() -> None:
    done = run(PROGRAMS / "no_thread.py")
    assert done.stdout.splitlines() == ["stopped", "['work']"]
    assert done.stderr == (
        "pyusdt: cannot start a thread (Resource temporarily unavailable): "
        "tracers have nothing of this process\n"
    )


@pytest.mark.parametrize("words", [["-o", "x", "-c", "pass"], ["report", "x"], ["record", "-h"]])
def test_without_sqlite_recording_is_refused_in_a_line(words: list[str], tmp_path: Path) -> None:
    words = [str(tmp_path / "x.pyusdt") if word == "x" else word for word in words]
    code = f"import sys; sys.modules['sqlite3'] = None; sys.argv = ['pyusdt', *{words!r}]; "
    code += "sys.orig_argv = ['python', '-m', *sys.argv]; "
    code += "from pyusdt.main import console; console()"
    done = run("-c", code, code=ExitCode.FAILURE)
    assert done.stdout == ""
    assert done.stderr.startswith("pyusdt: ")
    assert "this Python has no module sqlite3" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_sqlite_an_import_is_as_ever() -> None:
    code = "import sys; sys.modules['sqlite3'] = None; import pyusdt; print(pyusdt.status()['pid'])"
    done = run("-c", code)
    assert done.stderr == ""
    assert int(done.stdout)
