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
from recordings import hostile, lined, snapshot, with_lines

from pyusdt.recording import write
from pyusdt.recording.kernel import KernelRow
from pyusdt.recording.snapshot import HistogramRow, Snapshot

LONG = bool(os.environ.get("LONG"))
pytestmark = [pytest.mark.apart, pytest.mark.once, pytest.mark.timeout(7200 if LONG else 300)]

PROGRAM = Path(__file__).parent / "programs/mutations.py"
MUTATIONS = 1_000 if LONG else 12


def sample() -> Snapshot:
    """Something of all that there is. The text of its file has changed since."""
    return replace(
        lined(charges=True, file=str(PROGRAM)),
        histograms=[HistogramRow(1, 100_000_000, 1), HistogramRow(2, 30_000_000, 4)],
        kernel="",
        kernel_rows=[
            KernelRow(0, 1, 2, "syscall", "read", 7, 21_000_000, 0, 1),
            KernelRow(1, 0, 2, "offcpu", "sleep", 3, 11_000_000, 0, 0),
            KernelRow(-1, -1, -1, "syscall", "futex", 5, 2_000_000, 0, 0),
        ],
        steps=snapshot().steps,
        losses=snapshot().losses,
    )


HOSTILE = with_lines(hostile())


@pytest.mark.parametrize("data", [sample(), HOSTILE], ids=["sample", "hostile"])
def test_no_mutation_brings_a_report_down(tmp_path, data):
    write(tmp_path / "good.pyusdt", data)
    numbers = map(str, (0, MUTATIONS))
    words = [sys.executable, PROGRAM, tmp_path, tmp_path / "good.pyusdt", *numbers]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    assert " 0 wrong" in done.stdout, done.stdout
