# SPDX-License-Identifier: Apache-2.0
"""A JIT that spoils local variables while events are on: nothing goes on, and we say why."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from harness import inside

JIT = "print(getattr(getattr(sys, '_jit', None), 'is_available', bool)())"
LINE = (
    "pyusdt: the JIT of Python 3.14 spoils local variables while events are enabled: dormant; "
    "run Python with PYTHON_JIT=0 to trace it\n"
)
SOURCE = """
import sys, semaphores
import pyusdt
semaphores.up("PY_START", "function__done")
while not (pyusdt.status()["dormant"] or semaphores.events()): pass
assert sys._jit.is_enabled() is EXPECTED
print(semaphores.tool(), (pyusdt.status()["dormant"] or "")[:12])
"""


@pytest.fixture(autouse=True, scope="module")
def needs_a_jit() -> None:
    asked = subprocess.check_output([sys.executable, "-c", f"import sys; {JIT}"], text=True)
    if asked != "True\n":
        pytest.skip("Python here has no JIT")


REFUSED = sys.version_info[:2] == (3, 14)


def test_switched_on(run):
    outcome = run(SOURCE.replace("EXPECTED", "True"), "without", PYTHON_JIT="1")
    assert outcome == (("None the JIT of P\n", LINE, 0) if REFUSED else ("4 \n", "", 0))


@pytest.fixture
def at_start(tmp_path):
    """PYTHONPATH with a sitecustomize that imports pyusdt, all watched: before the JIT goes on."""
    (tmp_path / "sitecustomize.py").write_text(
        "import semaphores; semaphores.up('PY_START', 'function__done'); import pyusdt"
    )
    return os.pathsep.join([inside()["PYTHONPATH"], str(tmp_path)])


def test_switched_on_after_the_import(run, at_start):
    source = SOURCE.replace("EXPECTED", "True")
    outcome = run(source, "without", PYTHON_JIT="1", PYTHONPATH=at_start)
    assert outcome == (("None the JIT of P\n", LINE, 0) if REFUSED else ("4 \n", "", 0))


def test_not_switched_on_after_the_import(run, at_start):
    source = SOURCE.replace("EXPECTED", "False")
    assert run(source, "without", PYTHON_JIT="0", PYTHONPATH=at_start) == ("4 \n", "", 0)


def test_switched_off(run):
    outcome = run(SOURCE.replace("EXPECTED", "False"), "without", PYTHON_JIT="0")
    assert outcome == ("4 \n", "", 0)
