# SPDX-License-Identifier: Apache-2.0
"""@pytest.mark.pyusdt with other plugins: those that run coroutines, and one with workers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from . import environments
from .packages import Package

pytestmark = [pytest.mark.packages, pytest.mark.timeout(600)]

TESTS = """
import asyncio
import anyio
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

async def make(size):
    await asyncio.sleep(0)
    block = bytearray(size)
    await asyncio.sleep(0)
    return len(block)

@pytest.mark.asyncio
@pytest.mark.pyusdt(max_memory="30 MB")
@pytest.mark.parametrize("size", [1_000_000, 50_000_000])
async def test_asyncio(size):
    await make(size)

@pytest.mark.anyio
@pytest.mark.pyusdt(max_memory="30 MB")
@pytest.mark.parametrize("size", [1_000_000, 50_000_000])
async def test_anyio(size):
    await make(size)
"""
FAILED = ("test_asyncio[50000000]", "test_anyio[asyncio-50000000]", "test_anyio[50000000]")


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "in workers"])
def test_coroutines(options: tuple[str, ...], tmp_path: Path) -> None:
    needs = "pytest-asyncio==1.2.0 anyio==4.11.0"
    environment = environments.of(Package("pytest-xdist", "3.8.0", "", needs=needs, sdist=False))
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PY")}
    plugin = "-p", "pyusdt_pytest"
    done = subprocess.run(
        [environment.python, "-m", "pytest", *plugin, *options, "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    failures = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert all(any(name in line for name in FAILED) for line in failures)
    heads = [line for line in done.stdout.splitlines() if line.startswith("pyusdt: 5")]
    assert len(heads) == 2 and all("max_memory='30 MB'" in line for line in heads)
    assert done.stdout.count("  make  ") == 2
