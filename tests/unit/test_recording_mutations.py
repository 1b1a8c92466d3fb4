# SPDX-License-Identifier: Apache-2.0
"""Recordings in which bytes and rows were changed at random, through every report.

LONG=1 makes 2,000 of them, and prints what they cost.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from recordings import charged, hostile, snapshot

from pyusdt.recording import write

LONG = bool(os.environ.get("LONG"))
pytestmark = [pytest.mark.apart, pytest.mark.once, pytest.mark.timeout(7200 if LONG else 300)]

PROGRAM = Path(__file__).parent / "programs/mutations.py"
MUTATIONS = 1_000 if LONG else 12


SAMPLE = replace(charged(kernel=True), steps=snapshot().steps, losses=snapshot().losses)


@pytest.mark.parametrize("data", [SAMPLE, hostile()], ids=["sample", "hostile"])
def test_no_mutation_brings_a_report_down(tmp_path, data):
    write(tmp_path / "good.pyusdt", data)
    numbers = map(str, (0, MUTATIONS))
    words = [sys.executable, PROGRAM, tmp_path, tmp_path / "good.pyusdt", *numbers]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    assert " 0 wrong" in done.stdout, done.stdout
