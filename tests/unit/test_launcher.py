# SPDX-License-Identifier: Apache-2.0
"""A launched program notices nothing: python and python -m pyusdt have the same effect."""

import importlib.util
import os
import py_compile
import re
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .programs import CASES, PROGRAMS, Case

DEADLINE = 60


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A directory with the programs, and with files that only a program can make."""
    root = tmp_path_factory.mktemp("programs")
    for name, source in PROGRAMS.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(source)
    (root / "link.py").symlink_to("package/../where.py")
    (root / "loop.py").symlink_to("loop.py")
    (root / "no_rights.py").touch(mode=0)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "socket"))  # its whole path may be too long
    (root / "signal_.py").write_bytes(PROGRAMS["signal.py"])
    make_archive(root / "app.pyz", "import sys; print(sys.argv, sys.path[0], __file__)")
    make_archive(root / "app_fails.pyz", "raise ValueError('zipped')")
    make_bytecode(root)
    return root


def make_archive(path: Path, main: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__main__.py", main)


def make_bytecode(root: Path) -> None:
    good = root / "where.pyc"
    py_compile.compile(str(root / "where.py"), str(good), doraise=True)
    code = good.read_bytes()
    (root / "renamed_bytecode").write_bytes(code)
    (root / "truncated.pyc").write_bytes(code[: len(code) // 2])
    (root / "other_version.pyc").write_bytes(b"\0\0\r\n" + code[4:])
    assert code.startswith(importlib.util.MAGIC_NUMBER)


def outcome(command: list[str], case: Case, root: Path) -> tuple[str, str, int]:
    """Run `command` as `case` says; return its stdout, stderr and exit code."""
    done = subprocess.run(
        [sys.executable, *case.options.split(), *command],
        cwd=root / case.cwd,
        input=case.stdin,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE,
        check=False,
    )
    return without_addresses(done.stdout), without_addresses(done.stderr), done.returncode


def without_addresses(text: str) -> str:
    return re.sub(r"\b0x[0-9a-f]+", "0x", text)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_effect(programs, case):
    words = case.command(str(programs))
    expected = outcome(words, case, programs)
    assert outcome(["-m", "pyusdt", *words], case, programs) == expected
