# SPDX-License-Identifier: Apache-2.0
"""Python's options -E and -I: PYUSDT_* have no say; options of ours on the command line have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import DEADLINE, ROOT

import pyusdt

SHOW = "import pyusdt; print(pyusdt.status()['only'], pyusdt.status()['check_msec'])"
VARIABLES = {"PYUSDT_ONLY": "theirs", "PYUSDT_CHECK_MSEC": "7", "PYUSDT_VERBOSE": "1"}
HOOK = (ROOT / "pyusdt_hook.pth").read_text()


def run(*words: str | Path, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], env={**os.environ, **VARIABLES, **variables},
        capture_output=True, text=True, timeout=DEADLINE, check=True,
    )  # fmt: skip
    assert "-I" not in words or done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("option", ["-E", "-I"])
def test_settings_are_the_defaults(option: str) -> None:
    begin = f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
    assert run("-c", begin + SHOW) == "theirs 7\n"
    assert run(option, "-c", begin + SHOW) == " 100\n"


@pytest.mark.parametrize("option", ["-E", "-I"])
def test_the_hook_imports_nothing(option: str) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); exec({HOOK!r}); "
    code += "print('pyusdt' in sys.modules)"
    assert run("-c", code, PYUSDT="1") == "True\n"
    assert run(option, "-c", code, PYUSDT="1") == "False\n"


@pytest.mark.parametrize("option", ["-E", "-I"])
def test_a_recording_is_not_joined_and_an_option_makes_one(option: str, tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs.pyusdt", tmp_path / "ours.pyusdt"
    words = [option, "-m", "pyusdt", "-o", str(ours), "-c", "def own(): pass\nown()"]
    inner = f"import subprocess, sys; subprocess.run([sys.executable, *{words!r}], check=True)"
    run("-m", "pyusdt", "-o", theirs, "-c", inner, PYUSDT_ONLY="")
    assert len(pyusdt.load(theirs).processes) == 1
    assert "own" in {record.name for record in pyusdt.load(ours).records}
