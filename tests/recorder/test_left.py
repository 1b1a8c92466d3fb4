# SPDX-License-Identifier: Apache-2.0
"""What a run leaves beside its file: large parts, or those of a killed process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import inside

import pyusdt
from pyusdt.errors import UserError

MANY = Path(__file__).parent / "programs/many_contexts.py"
LARGE, SMALL = 9, 8  # levels: what is left for `report`, and what only the run's end leaves


def pyusdt_run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pyusdt", *map(str, words)],
        env=inside(),
        capture_output=True,
        text=True,
        check=False,
    )


def recorded(path: Path, levels: int) -> None:
    done = pyusdt_run("-o", path, "--max-nodes", "2000000", MANY, str(levels))
    assert done.returncode == 0, done.stderr


def beside(path: Path) -> list[Path]:
    return [*path.parent.glob(f".{path.name}.*")]


def wait_until_the_run_is_old(path: Path) -> None:
    """A run that has just changed may go on."""
    (directory,) = beside(path)
    while time.time() - directory.stat().st_mtime < 1:
        time.sleep(0.01)


def calls(path: Path) -> int:
    functions = pyusdt.load(path).functions
    made = [f for f in functions if f.record.file == "made.py" and f.record.name != "<module>"]
    return sum(f.calls for f in made)


def calls_of(levels: int) -> int:
    return sum(4**level for level in range(levels + 1))


def test_a_report_makes_one_file_of_a_run_that_is_over(tmp_path: Path) -> None:
    path = tmp_path / "out.pyusdt"
    recorded(path, SMALL)
    assert beside(path)
    wait_until_the_run_is_old(path)
    assert pyusdt_run("report", path).stderr == ""
    assert beside(path) == []
    assert calls(path) == calls_of(SMALL)


def test_a_report_makes_one_file_of_what_a_killed_process_has_left(tmp_path: Path) -> None:
    path = tmp_path / "out.pyusdt"
    script = f"""
import os, signal, time, pyusdt
def made(): pass
with pyusdt.record({str(path)!r}, flush=0.05):
    made()
    while not [f for f in pyusdt.load({str(path)!r}).functions if f.record.name == "made"]:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], env=inside(), check=False)
    assert done.returncode == -signal.SIGKILL
    wait_until_the_run_is_old(path)
    assert "made" in pyusdt_run("report", path, "--top", "100").stdout
    assert beside(path) == []
    assert "made" in {f.record.name for f in pyusdt.load(path).functions}


def test_large_parts_stay_and_are_named_and_copied(tmp_path: Path) -> None:
    path, one = tmp_path / "out.pyusdt", tmp_path / "one.pyusdt"
    recorded(path, LARGE)
    wait_until_the_run_is_old(path)
    (directory,) = beside(path)
    done = pyusdt_run("report", path)
    assert f" MB of it are in {directory.name} beside it; for one file: " in done.stderr
    assert f"pyusdt report {path} -o COPY.pyusdt" in done.stderr
    assert beside(path) == [directory]
    done = pyusdt_run("report", path, "-o", one)
    assert (done.returncode, done.stderr) == (0, "")
    assert beside(one) == []
    assert calls(one) == calls(path) == calls_of(LARGE)
    assert one.stat().st_mode & 0o777 == 0o600


def test_a_copy_without_its_parts_reports_where_they_are(tmp_path: Path) -> None:
    path, other = tmp_path / "out.pyusdt", tmp_path / "other"
    other.mkdir()
    recorded(path, SMALL)
    shutil.copy(path, other)
    (directory,) = beside(path)
    with pytest.raises(UserError, match=f"not in this file but in {directory.name}"):
        pyusdt.load(other / path.name)


def test_a_file_that_names_the_parts_of_another_does_not_get_them(tmp_path: Path) -> None:
    path, other = tmp_path / "out.pyusdt", tmp_path / "other.pyusdt"
    recorded(path, SMALL)
    shutil.copy(path, other)
    wait_until_the_run_is_old(path)
    before = other.read_bytes()
    assert pyusdt_run("report", other).returncode == 0
    assert other.read_bytes() == before
    assert beside(path)
    assert calls(path) == calls_of(SMALL)


def test_a_run_of_somebody_else_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "out.pyusdt"
    recorded(path, SMALL)
    wait_until_the_run_is_old(path)
    (directory,) = beside(path)
    os.chown(directory, 65534, 65534)
    os.chown(path, 65534, 65534)
    before = path.read_bytes(), [*directory.iterdir()]
    assert pyusdt_run("report", path).returncode == 0
    assert (path.read_bytes(), [*directory.iterdir()]) == before


@pytest.mark.parametrize("words", [(), ("-f", "json"), ("-f", "recording")])
def test_a_report_does_not_take_the_recordings_place(tmp_path: Path, words: tuple[str]) -> None:
    path = tmp_path / "out.pyusdt"
    recorded(path, 1)
    before = path.read_bytes()
    done = pyusdt_run("report", path, "-o", path, *words)
    assert done.returncode == 2
    assert "is the recording itself" in done.stderr
    assert path.read_bytes() == before


def test_a_copy_takes_no_choice(tmp_path: Path) -> None:
    path = tmp_path / "out.pyusdt"
    recorded(path, 1)
    done = pyusdt_run("report", path, "--top", "3", "-o", tmp_path / "one.pyusdt")
    assert done.returncode == 2
    assert "leave out --top" in done.stderr


def test_what_a_killed_process_was_writing_goes_with_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "out.pyusdt"
    old, young, other = (
        tmp_path / f"{name}.new"
        for name in (f"{path.name}.{'0' * 16}", f"{path.name}.{'1' * 16}", f"{path.name}.mine")
    )
    for one in (old, young, other):
        one.write_text("")
    for one in (old, other):
        os.utime(one, (1, 1))
    recorded(path, 1)
    assert {one.name for one in tmp_path.iterdir()} == {path.name, young.name, other.name}
