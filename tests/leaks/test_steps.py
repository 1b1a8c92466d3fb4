# SPDX-License-Identifier: Apache-2.0
"""Steps and marks leave no object behind, watched or not, in use or misused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.leaks

TESTS = Path(__file__).resolve().parents[1]
DEADLINE = 60

# A process of its own: nobody else allocates in it.
PROGRAM = Path(__file__).parent / "programs/steps.py"


@pytest.mark.usefixtures("library")
def test_no_object_is_left_behind() -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {line.split()[0]: list(map(int, line.split()[1:])) for line in done.stdout.splitlines()}
    assert found.pop("references") == [0, 0]
    assert found.keys() == {"unwatched", "watched", "misused"}
    for case, (blocks,) in found.items():
        assert blocks < 500, f"{case}: {blocks} blocks more after 1000 rounds"
