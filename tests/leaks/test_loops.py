# SPDX-License-Identifier: Apache-2.0
"""Nothing is left behind by what pyusdt does over and over in a process that lives for months."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import inside

PROGRAM = Path(__file__).parent / "programs/loops.py"
LONG = os.environ.get("LONG", "") not in ("", "0")
ROUNDS = 10_000 if LONG else 300
DEADLINE = 3600 if LONG else 120

# What may be there more of, whatever the number of rounds: caches of the interpreter's.
LIMITS = {"kB": 4000, "bytes": 300_000, "blocks": 250, "references": 0, "watchers": 0, "files": 0}
CASES = (
    "watched and not",
    "one probe after the other",
    "recorded",
    "recorded lines",
    "decorated",
    "settings",
    "watched settings",
    "watched threads",
    "watched code that dies",
    "watched children",
)

pytestmark = [
    pytest.mark.timeout(DEADLINE + 30),
    pytest.mark.usefixtures("library"),
    pytest.mark.leaks,
]


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_left_behind(case: str) -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM, case, str(ROUNDS)],
        env=inside(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    more = {name: int(n) for name, n in (word.split("=") for word in done.stdout.split())}
    assert more.keys() == LIMITS.keys()
    assert {name: n for name, n in more.items() if n > LIMITS[name]} == {}
