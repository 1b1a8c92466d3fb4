# SPDX-License-Identifier: Apache-2.0
"""bcc's tools for Python, as they are: they look probes up by name, whoever's these are.

The interpreters here have gc__start and gc__done, and 3.15 its own function__entry and
function__return: nothing may be missing, and nothing be told twice.

Not here: ucalls, which does not compile against the headers of these kernels.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from harness import LIBRARY, Process, Program, environment

pytestmark = [pytest.mark.usefixtures("library"), pytest.mark.second_world]

PROGRAMS = Path(__file__).parent / "programs"

RUNS = 23

# A text and not a file: the tools show the file of a function, cut to some length.
PROGRAM = (PROGRAMS / "bcc.py").read_text()
CALLS = ("-c", PROGRAM, "calls", str(RUNS))
COLLECTS = ("-c", PROGRAM, "collects", str(RUNS))
SLOW = r"^\d+\.\d+ +\d{6,}\.\d+ "
FAST = r"^\d+\.\d+ +\d{1,5}\.\d+ "


def bcc(tool: str, *arguments: str | int) -> Process:
    """A tool with its arguments. Its output comes line by line."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return Process([f"/usr/sbin/{tool}", *map(str, arguments)], env=environment)


def test_tplist_lists_each_name_once() -> None:
    with Program(*CALLS) as program:
        program.expect("^ready")
        with bcc("tplist-bpfcc", "-p", program.pid) as tool:
            assert tool.wait() == 0
    listed = re.findall(r" ((?:python|pyusdt):\w+)", tool.output)
    ours = [name for name in listed if name.startswith("pyusdt:") or ":function__" in name]
    assert {"python:function__entry", "python:function__return", "pyusdt:PY_START"} <= set(ours)
    assert len(set(ours)) == len(ours)


def test_argdist_tells_an_argument() -> None:
    """Only as a histogram, once: with Debian's bcc 0.35 argdist fails at its own "-C", whatever it
    counts, and after the first interval ("'Probe' object has no attribute 'htab_batch_ops'")."""
    expression = f"u:{LIBRARY}:PY_START():u64:arg3#lines"
    with Program(*CALLS) as program:
        program.expect("^ready")
        line = PROGRAM.split("\n").index("def tick():") + 1
        with bcc("argdist-bpfcc", "-p", program.pid, "-i", 1, "-n", 1, "-H", expression) as tool:
            tool.expect(r"^ +lines +: count")
            tool.wait()
    rows = re.findall(r"^ +(\d+) -> (\d+) +: (\d+) ", tool.output, re.MULTILINE)
    told = [(int(low), int(high)) for low, high, count in rows if int(count)]
    assert len(told) == 1
    assert told[0][0] <= line <= told[0][1]


def test_uflow_shows_each_entry_and_exit_once() -> None:
    with Program(*CALLS) as program:
        program.expect("^ready")
        with bcc("uflow", "-l", "python", "-C", "<string>", program.pid) as tool:
            tool.expect(r"<- <string>\.tick")
            program.send("")
            tool.expect(r"<- <string>\.end")
    flow = re.findall(r" (->|<-) <string>\.(work|end) *$", tool.output, re.MULTILINE)
    assert flow == [("->", "work"), ("<-", "work")] * RUNS + [("->", "end"), ("<-", "end")]


def test_ugc_shows_each_collection_once() -> None:
    with Program(*COLLECTS) as program:
        program.expect("^ready")
        with bcc("ugc", "-l", "python", program.pid) as tool:
            tool.expect(SLOW)
            program.send("")
            tool.expect(FAST)
            tool.expect(SLOW)
    assert len(re.findall(FAST, tool.output, re.MULTILINE)) == RUNS


def test_ustat_tells_how_often_functions_start() -> None:
    """It looks at each process that is called python, and sets its semaphores: it is to see one."""
    python = [PROGRAMS / "alone.sh", sys.executable]
    with Process(["unshare", "--mount", *python, *CALLS], env=environment()) as program:
        program.expect("^ready")
        inside = ["nsenter", f"--target={program.pid}", "--mount", "--root", "--wd"]
        with Process([*inside, "/usr/sbin/ustat", "-l", "python", "-C", "2", "1"]) as tool:
            row = tool.expect(rf"^{program.pid} +\S.* (\d+) +(\d+) +0 +0 +0 +0 *$")
            assert tool.wait() == 0
    # It ticks, and a tick takes a hundredth of a second at least. The collector is off.
    assert 0 < int(row[1]) <= 100
    assert int(row[2]) == 0
