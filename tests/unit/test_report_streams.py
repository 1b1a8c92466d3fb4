# SPDX-License-Identifier: Apache-2.0
"""Verbs that read recordings, where a stream is full or was closed by whoever started them."""

import subprocess
import sys

import pytest
from recordings import snapshot

from pyusdt.recording import write

pytestmark = pytest.mark.apart


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "x.pyusdt"
    write(path, snapshot())
    return str(path)


def shell(redirection, *words):
    """The exit code and all output of the command with that redirection."""
    command = [sys.executable, "-m", "pyusdt", *words]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command], capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "words",
    [["report"], ["report", "--tree"], ["report", "-f", "html"], ["report", "-f", "pprof"],
     ["compare"]],
)  # fmt: skip
def test_a_full_output_is_one_line(file, words):
    both = [file] * (2 if words == ["compare"] else 1)
    code, _, err = shell(">/dev/full", *words, *both)
    assert (code, err) == (1, "pyusdt: standard output: cannot write: no space left on device\n")


def test_a_closed_error_stream_harms_nothing(file, tmp_path):
    code, out, _ = shell("2>&-", "report", file)
    assert code == 0
    assert "Parser.parse" in out
    page = tmp_path / "page.html"
    assert shell("2>&-", "report", file, "-o", page)[0] == 0
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")
