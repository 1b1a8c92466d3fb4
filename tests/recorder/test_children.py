# SPDX-License-Identifier: Apache-2.0
"""`python -m pyusdt -o FILE program`: every Python that the program starts is recorded too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import DEADLINE, ROOT

import pyusdt
from pyusdt.recording import Recording

from .recorded import calls

PROGRAMS = Path(__file__).parent / "programs"


def recorded(
    tmp_path: Path,
    *words: str | Path,
    code: int = 0,
    options: tuple[str, ...] = (),
    said: bool = True,
    **env: str,
) -> Recording:
    """The recording of a program that ends with this exit code. `said`: on stderr."""
    out = tmp_path / "out.pyusdt"
    done = subprocess.run(
        [sys.executable, "-m", "pyusdt", "-o", out, *options, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == code, done.stderr
    last = "".join(done.stderr.splitlines()[-1:])
    assert last.startswith(f"pyusdt: {out}: recorded") == said, done.stderr
    return pyusdt.load(out)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_the_script_is_main_in_its_workers_too(tmp_path: Path, method: str) -> None:
    """For filters and in reports, although multiprocessing calls it __mp_main__ there."""
    options = ("--only", "__main__")
    recording = recorded(tmp_path, PROGRAMS / "main_pool.py", method, options=options)
    assert calls(recording, "__main__")["work"] == 23
    assert {record.module for record in recording.records} == {"__main__"}


def works(tmp_path: Path, how: str, **env: str) -> tuple[int, Recording]:
    """How often work() was called when the Pythons are started that way."""
    recording = recorded(tmp_path, PROGRAMS / "starts.py", how, **env)
    return calls(recording, "__main__").get("work", 0), recording


@pytest.mark.parametrize(
    ("how", "calls", "processes"),
    [
        ("command", 3 * 5, 4),
        ("options", 2 * 5, 3),  # -s and -P; -E and -I switch it off
        ("switched_off", 0, 1),
        ("script", 5 + 7 + 3 + 2, 5),
        ("executor", 20, 3),
        ("many", 20 * sum(range(10)), 201),
    ],
)
def test_started_pythons(tmp_path, monkeypatch, how, calls, processes) -> None:
    monkeypatch.chdir(tmp_path)
    found, recording = works(tmp_path, how)
    assert (found, len(recording.processes)) == (calls, processes)


def test_the_frames_of_site_are_not_recorded(tmp_path: Path) -> None:
    _, recording = works(tmp_path, "command")
    assert "site" not in {record.module for record in recording.records}
    *_, last = recording.threads
    first = [recording.records[child.function] for child in last.root.children]
    names = {record.name for record in first if not record.file.startswith("<frozen ")}  # imports
    assert names - {"_register_code"} == {"<module>"}  # 3.13 gives -c's code to linecache


def test_a_child_that_is_killed(tmp_path: Path) -> None:
    found, recording = works(tmp_path, "killed")
    assert found == 6
    (killed,) = [p for p in recording.processes if p.ended_ns is None]
    assert "stdin.read" in killed.command


def test_workers_of_loky(tmp_path: Path) -> None:
    """And not the process that only waits for their semaphores to be removed."""
    found, recording = works(tmp_path, "loky")
    assert found == 40
    assert not [p for p in recording.processes if "resource_tracker import" in p.command]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_the_resource_tracker_is_no_process_of_the_program(tmp_path: Path, method: str) -> None:
    recording = recorded(tmp_path, PROGRAMS / "main_pool.py", method)
    assert not [p for p in recording.processes if "resource_tracker import" in p.command]


def test_another_python_in_the_place_of_the_program(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "pyusdt", "-o", "out", PROGRAMS / "starts.py", "execute"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert found.returncode == 0
    assert calls(pyusdt.load(tmp_path / "out"), "__main__")["work"] == 9


@pytest.mark.parametrize(("words", "index"), [([], 7 + 3 + 1), (["exec"], 7 + 3 + 1 + 5)])
def test_a_program_that_starts_itself_again(tmp_path, words, index) -> None:
    """By sys.orig_argv, with -o FILE: the launcher joins the run that writes that file."""
    recording = recorded(tmp_path, PROGRAMS / "reloads.py", *words)
    assert calls(recording, "__main__")["index"] == index


_STARTS = """
import os, subprocess, sys, multiprocessing

def work():
    pass

def started(*command):
    subprocess.run(command, check=True)

if __name__ == "__main__":
    started(sys.executable, "-c", "pass")
    started(sys.executable, "-S", "-c", "pass")
    started(sys.executable, "-S", "-c", "pass")
    started("true")
    if os.fork() == 0:
        started("true")
        os._exit(0)
    os.wait()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.apply(work)
        pool.close()
        pool.join()
"""


def missing(tmp_path: Path, source: str, *options: str, said: bool = True) -> str:
    """What the report says of programs that did not join the recording of this one."""
    script = tmp_path / "starts.py"
    script.write_text(source)
    recorded(tmp_path, script, options=options, said=said)
    shown = subprocess.run(
        [sys.executable, "-m", "pyusdt", "report", tmp_path / "out.pyusdt"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return "".join(line for line in shown.splitlines() if "did not join" in line)


def test_programs_that_do_not_join_are_named(tmp_path: Path) -> None:
    """Neither those that did, by whatever way, nor the processes of multiprocessing are."""
    what = f"{sys.executable} (2), true (2)"
    said = f"note: 4 programs started that did not join the recording: {what}"
    assert missing(tmp_path, _STARTS) == said
    recording = pyusdt.load(tmp_path / "out.pyusdt")
    assert recording.started and not recording.select(process=lambda p: p.id == 1).started


def test_a_python_of_another_environment_is_named(tmp_path: Path) -> None:
    """Which has no pyusdt."""
    other = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", other], check=True)
    python = f"{other}/bin/python"
    source = f"import subprocess\nfor _ in range(3): subprocess.run([{python!r}, '-c', 'pass'])"
    shown = missing(tmp_path, source)
    assert shown.startswith("note: 3 programs started that did not join the recording: ")
    assert shown.endswith("/other/bin/python (3)")


@pytest.mark.parametrize(
    ("program", "name"),
    [("/bin/true", "/bin/true"), (sys.executable, ""), (f"{sys.executable} -S", sys.executable)],
)
@pytest.mark.parametrize("way", ["exec", "shell"])
def test_what_takes_the_place_of_a_program(tmp_path, way, program, name) -> None:
    """Of the recorded one, or of a shell that it has started."""
    words = [*program.split(), "-c", "pass"]
    source = f"import os; os.execv({words[0]!r}, {words!r})"
    if way == "shell":
        name, source = name and "/bin/sh", f"import os; os.system({'exec ' + ' '.join(words)!r})"
    note = "note: 1 program started that did not join the recording"
    shown = missing(tmp_path, source, said=way == "shell" or not name)
    assert shown == (name and f"{note}: {name} (1)")


def test_programs_are_not_named_where_none_is_to_join(tmp_path: Path) -> None:
    assert missing(tmp_path, _STARTS, "--no-children") == ""
    assert pyusdt.load(tmp_path / "out.pyusdt").started == {}
