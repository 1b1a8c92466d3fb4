# SPDX-License-Identifier: Apache-2.0
"""What waits in a recording of a real program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pyusdt
from pyusdt.waiting import waited, waiting

PROGRAM = Path(__file__).parent / "programs/idle.py"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {"wait_for_request", "Condition.wait"}),
        (("--c-calls",), {"sleep", "lock.acquire"}),
        # What is left out has its time in its caller.
        (("--only", "__main__:wait_for_request"), {"wait_for_request"}),
    ],
)
def test_what_waits(tmp_path: Path, options: tuple[str, ...], expected: set[str]) -> None:
    path = tmp_path / "idle.pyusdt"
    command = [sys.executable, "-m", "pyusdt", "-o", str(path), *options, str(PROGRAM)]
    subprocess.run(command, check=True, capture_output=True)
    recording = pyusdt.load(path)
    found = waiting(recording)
    figures = {function.index: function for function in recording.functions}
    long = {recording.records[i].qualname for i in found if figures[i].self_ns > 50_000_000}
    assert long == expected
    names = {record.qualname: index for index, record in enumerate(recording.records)}
    assert names.get("handle") not in found
    if "main" in names:
        part = waited(recording, found)[names["main"]]
        assert 600_000_000 <= part <= figures[names["main"]].total_ns
