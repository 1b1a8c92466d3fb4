# SPDX-License-Identifier: Apache-2.0
"""Where contexts were given up, no report shows more time than a thread had."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from harness import environment

from pyusdt import report
from pyusdt.recording import load
from pyusdt.report import Options
from pyusdt.report.prepare import shown

PROGRAM = Path(__file__).parent / "programs/few_nodes.py"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("few") / "x.pyusdt"
    subprocess.run([sys.executable, PROGRAM, path], env=environment(PYUSDT_VERBOSE="0"), check=True)
    return path


def test_a_tree_has_no_more_time_than_its_thread(path):
    recording = load(path)
    assert recording.losses["calls beyond max_nodes"] > 0
    for thread in shown(recording, split_threads=True).threads:
        assert 0 < sum(node.elapsed_ns for node in thread.root.children) <= thread.elapsed_ns
        stack = [*thread.root.children]
        while stack:
            node = stack.pop()
            below = sum(child.elapsed_ns for child in node.children)
            assert below + node.self_ns <= node.elapsed_ns + 2 + len(node.children)
            stack += node.children


@pytest.mark.parametrize("name", ["folded", "speedscope", "perfetto"])
def test_an_export_has_no_more_time_than_the_threads(path, tmp_path, name):
    recording = load(path)
    elapsed = sum(thread.elapsed_ns for thread in recording.threads)
    report.write(recording, str(tmp_path / "out"), report.FORMATS[name], Options(threads=True))
    assert 0.5 * elapsed < total_ns(name, (tmp_path / "out").read_text()) <= 1.001 * elapsed


def total_ns(name, text):
    if name == "folded":
        return sum(int(line.rpartition(" ")[2]) for line in text.splitlines())
    document = json.loads(text)
    if name == "speedscope":
        profiles = document["profiles"]  # by wall time, and others by CPU time and by waits
        return sum(
            it["endValue"] for it in profiles if not it["name"].endswith((": cpu", ": wait"))
        )
    ends = {e["tid"]: e["ts"] * 1000 for e in document["traceEvents"] if e["ph"] == "E"}
    return sum(ends.values())
