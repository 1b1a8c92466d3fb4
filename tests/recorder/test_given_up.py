# SPDX-License-Identifier: Apache-2.0
"""Where contexts are given up: in a process of its own, whose call trees are new.

A tracer that has seen a thread may hold its tree, which then stays, with room for more contexts
than a test wants.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness import ROOT

TESTS = Path(__file__).parent / "programs/given_up.py"


def test_given_up() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", TESTS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
