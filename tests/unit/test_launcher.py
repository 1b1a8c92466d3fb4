# SPDX-License-Identifier: Apache-2.0
"""A launched program notices nothing: python and python -m pyusdt have the same effect."""

import functools
import importlib.util
import os
import py_compile
import re
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .cases import CASES, Case
from .launched import PROGRAMS

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
    script = root / "bin/pyusdt"
    script.parent.mkdir()
    script.write_text("import sys\nfrom pyusdt.main import console\nsys.exit(console())\n")
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
    cwd = root / case.cwd
    gone = case.cwd == "gone"
    if gone:
        cwd.mkdir()
    done = subprocess.run(
        [sys.executable, *case.options.split(), *command],
        cwd=cwd,
        input=case.stdin,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE,
        check=False,
        preexec_fn=cwd.rmdir if gone else None,
    )
    return comparable(done.stdout), comparable(done.stderr), done.returncode


def comparable(text: str) -> str:
    """Return `text` without addresses and times."""
    return re.sub(r"\b0x[0-9a-f]+|\b\d\.\d{3}s\b", "...", text)


@pytest.fixture(scope="module")
def expected(programs):
    """expected(case): what python itself makes of it, tried once."""

    @functools.cache
    def outcome_of(i: int) -> tuple[str, str, int]:
        result = outcome(CASES[i].command(str(programs)), CASES[i], programs)
        if result[2] == -signal.SIGABRT:  # a debug build
            pytest.skip("Python itself fails an assertion of its own here")
        return result

    return lambda case: outcome_of(CASES.index(case))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_effect(programs, expected, case):
    words = ["-m", "pyusdt", *case.command(str(programs))]
    assert outcome(words, case, programs) == expected(case)


@pytest.mark.once
@pytest.mark.parametrize("case", [case for case in CASES if not case.options], ids=str)
def test_same_effect_of_the_script(programs, expected, case):
    """The script `pyusdt`, as pip makes it, has another first entry of sys.path."""
    words = [str(programs / "bin/pyusdt"), *case.command(str(programs))]
    assert outcome(words, case, programs) == expected(case)


@pytest.mark.parametrize("glued", ["-um pyusdt", "-umpyusdt", "-u -mpyusdt"])
@pytest.mark.parametrize("program", ["path.py", "syntax.py", "nosuch.py"])
def test_glued_options(programs, glued, program):
    """Where python is to say what is wrong, it gets the options that it was given, not ours."""
    case = Case("")
    assert outcome([*glued.split(), program], case, programs) == outcome(
        ["-u", program], case, programs
    )
