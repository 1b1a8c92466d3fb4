# SPDX-License-Identifier: Apache-2.0
"""`--lines '*'`: what is the program's, and what is installed, wherever that is."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest
from harness import ROOT, Program

import pyusdt

from .test_remote_recording import do, recording, stop

PROGRAM = Path(__file__).parent / "programs/places.py"
MINOR = f"3.{sys.version_info.minor}"
ARCHIVE = f"python3{sys.version_info.minor}.zip"
TEXT = "def called():\n    return 1\n"
INSTALLED = {
    "venv": f"venv/lib/python{MINOR}/site-packages",
    "user": f"user/.local/lib/python{MINOR}/site-packages/",
    "platlib": f"venv/lib64/python{MINOR}/site-packages",
    "debian": "usr/lib/python3/dist-packages",
    "linked": "link/site-packages",
    "behind": "pool",  # where that link leads to
    "standard": f"usr/lib/{ARCHIVE}",
}
OWN = {"source": "src", "named": "src/site-packages-of-mine", "below": "src/dist-packages/own"}


@pytest.fixture
def path(tmp_path: Path) -> str:
    """PYTHONPATH with directories that have a module each."""
    found = {name: tmp_path / path for name, path in (INSTALLED | OWN).items()}
    (tmp_path / "pool").mkdir()
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "site-packages").symlink_to(tmp_path / "pool")
    for name, path in found.items():
        if name == "standard":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(f"{name}.py", TEXT)
        else:
            path.mkdir(parents=True, exist_ok=True)
            (path / f"{name}.py").write_text(TEXT)
    return os.pathsep.join(map(str, (ROOT, *found.values())))


@pytest.mark.parametrize("way", ["launched", "from outside"])
def test_lines_of_the_program_alone(tmp_path: Path, path: str, way: str) -> None:
    out = tmp_path / "out.pyusdt"
    launcher = ["-m", "pyusdt", "-o", out, "--lines", "*"] if way == "launched" else []
    with Program(*launcher, PROGRAM, *INSTALLED, *OWN, PYTHONPATH=path) as program:
        program.expect("^ready")
        if launcher:
            do(program, "work", 7)
        else:
            with recording(program, out, "--lines", "*") as process:
                do(program, "work", 7)
                stop(process)
        assert program.wait() == 0
    rows = pyusdt.load(out).line_rows
    assert {row.record.module for row in rows if row.record.name == "called"} == {*OWN}
    assert {row.hits for row in rows if row.record.name == "called"} == {7}
    assert {row.record.module for row in rows} - {*OWN, *INSTALLED} == {"__main__"}
