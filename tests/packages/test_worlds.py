# SPDX-License-Identifier: Apache-2.0
"""Packages that make another world for a program: a file system in memory, a clock that stands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import pyusdt

from . import environments
from .environments import Environment
from .packages import Package

pytestmark = [pytest.mark.packages, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def environment() -> Environment:
    needs = "freezegun==1.5.5 time-machine==3.6.0"
    return environments.of(Package("pyfakefs", "6.3.2", "", needs=needs, sdist=False))


PROGRAM = """
import os, sys, time
import pyusdt

def work():
    pass

def begin(world):
    if world == "pyfakefs":
        from pyfakefs.fake_filesystem_unittest import Patcher
        patcher = Patcher()
        patcher.setUp()
        patcher.fs.create_file("/here")
        assert os.listdir("/") != [] and not os.path.exists("/etc/passwd")
    elif world == "freezegun":
        from freezegun import freeze_time
        freeze_time("1960-01-01").start()
        assert time.time() < 0
    else:
        import time_machine
        time_machine.travel("1960-01-01", tick=False).start()
        assert time.time() < 0

world, how, path = sys.argv[1:]
begin(world)
for _ in range(50):
    work()
if how == "block":
    with pyusdt.record(path):
        work()
elif how == "fork":
    if os.fork() == 0:
        work()
        os._exit(0)
    os.wait()
elif how == "os._exit":
    os._exit(0)
"""


@pytest.mark.parametrize("world", ["pyfakefs", "freezegun", "time_machine"])
@pytest.mark.parametrize("how", ["exit", "os._exit", "fork", "block"])
def test_worlds(environment: Environment, tmp_path: Path, world: str, how: str) -> None:
    """They last until the end of the program."""
    (tmp_path / "program.py").write_text(PROGRAM)
    outer, inner = tmp_path / "outer", tmp_path / "inner"
    words = ["-m", "pyusdt", "-o", outer, "program.py", world, how, inner]
    done = subprocess.run(
        [environment.python, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("\n") == 1, done.stderr
    found = pyusdt.load(outer)
    calls = sum(f.calls for f in found.functions if f.record.qualname == "work")
    assert calls == 50 + (how in ("fork", "block"))
    assert all(process.started_ns > 0 for process in found.processes)
    if how == "block":
        (function,) = (f for f in pyusdt.load(inner).functions if f.record.qualname == "work")
        assert function.calls == 1
