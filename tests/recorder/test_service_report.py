# SPDX-License-Identifier: Apache-2.0
"""The default report of the example service: its work comes first, and what idles is shown so."""

import os
import re
import subprocess
import sys

from harness import ROOT


def run(*words, cwd):
    done = subprocess.run(
        [sys.executable, "-m", "pyusdt", *words],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_work_comes_first_and_idling_last(tmp_path):
    run("-o", "s.pyusdt", str(ROOT / "examples/service.py"), "--seconds", "3", cwd=tmp_path)
    text = run("report", "s.pyusdt", cwd=tmp_path)
    rows = text.partition("function\n")[2].partition(" more functions")[0].splitlines()
    first = "\n".join(rows[:5])
    assert "_worker" not in first, text
    assert "EpollSelector.select" not in first, text
    bars = {
        name: re.search(r" ([█cdglnoprs]{8}) ", row)[1]
        for name in ("_worker", "EpollSelector.select")
        for row in rows
        if f"  {name}" in row
    }
    assert bars["_worker"].count("l") > 3, text
    assert bars["EpollSelector.select"].count("p") > 3, text
