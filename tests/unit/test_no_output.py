# SPDX-License-Identifier: Apache-2.0
"""Standard output that is full or closed, or stderr that is: a line and an exit code, no traceback;
and a program runs as python would run it."""

import subprocess
import sys
from pathlib import Path

import pytest
from harness import DEADLINE

from pyusdt.errors import ExitCode

FULL = ">/dev/full", "standard output: cannot write: no space left on device"
READ_ONLY = "1</dev/null", "standard output: cannot write: bad file descriptor"
CLOSED = ">&-", "standard output is closed"


def run(words: str, streams: str) -> subprocess.CompletedProcess[str]:
    command = f'"$0" -m pyusdt {words} {streams}'
    return subprocess.run(
        ["sh", "-c", command, sys.executable],
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("streams", [FULL, READ_ONLY, CLOSED], ids=lambda it: it[0])
@pytest.mark.parametrize("words", ["status", "status --json", "probes", "lib --help", "--version"])
def test_no_room_for_what_is_asked_for(words: str, streams: tuple[str, str]) -> None:
    done = run(words, streams[0])
    assert done.returncode == ExitCode.FAILURE
    assert f"pyusdt: {streams[1]}" in done.stderr.splitlines()
    assert "Traceback" not in done.stderr


def test_nobody_reads_an_error() -> None:
    done = run("set -p 0 --only x", "2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.USAGE, "", "")


@pytest.mark.parametrize("streams", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_program_runs_without_streams(tmp_path: Path, streams: str) -> None:
    program, ran, recording = (tmp_path / name for name in ("x.py", "ran", "x.pyusdt"))
    program.write_text(f"import sys; open({str(ran)!r}, 'w').write(str(sys.stdout))")
    for options in ("", f"-o {recording}"):
        assert run(f"{options} {program}", streams).returncode == 0
        assert ran.read_text() == "None"
        ran.unlink()
    assert recording.read_bytes().startswith(b"SQLite format 3\0")


def test_an_encoding_without_the_character() -> None:
    code = "import sys; sys.argv[1:] = ['status']; from pyusdt.main import console; console()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
