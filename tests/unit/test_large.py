# SPDX-License-Identifier: Apache-2.0
"""The probe of large blocks, with its semaphore raised from inside. No root needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import DEADLINE, ROOT, inside

from pyusdt.remote.control_requests import large_bytes

pytestmark = pytest.mark.asan

PROGRAM = Path(__file__).parent / "programs/large.py"
SOURCE = ROOT / "tests/recorder/programs/takes.c"


@pytest.mark.once
def test_hooks_come_and_go_under_load(tool: Callable[[str], str], tmp_path: Path) -> None:
    library = tmp_path / "libtakes.so"
    subprocess.run([tool("gcc"), "-shared", "-fPIC", "-O1", SOURCE, "-o", library], check=True)
    environment = inside(TAKES=str(library))
    environment["PYTHONPATH"] += f":{ROOT / 'tests'}"
    done = subprocess.run(
        [sys.executable, PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        timeout=5 * DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "null", "")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64KiB", 65536),
        ("1MB", 1_000_000),
        ("1.5 MiB", 1_572_864),
        (" 4096 ", 4096),
        ("1B", 1),
        ("2kB", 2000),
        (12, 12),
    ],
)
def test_sizes(text: str | int, size: int) -> None:
    assert large_bytes(text) == size


@pytest.mark.parametrize("size", ["0", "4GiB", 2**32, 0, -1, "9" * 400])
def test_sizes_that_the_core_refuses(size: str | int) -> None:
    assert large_bytes(size) == 0


@pytest.mark.parametrize("text", ["", "MiB", "1 mb", "1e6", "-1", "off", "٣MiB", "1MiBs"])
def test_texts_that_are_no_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="large is a size like 64KiB, 1MB or 4096, not "):
        large_bytes(text)


@pytest.mark.parametrize("value", [1.5, True, b"1"])
def test_types_that_are_no_sizes(value: object) -> None:
    with pytest.raises(TypeError, match="large is a number of bytes or a text like 64KiB, not "):
        large_bytes(value)  # type: ignore[arg-type]
