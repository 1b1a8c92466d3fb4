# SPDX-License-Identifier: Apache-2.0
"""The core counts the programs that a process starts, and waits for Python to come to its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import DEADLINE, ROOT

HOOK = ROOT / "pyusdt_hook.pth"


def python(code: str, *options: str, **variables: str) -> str:
    """What a program prints that counts what it starts; `shown` shows it."""
    head = "import os, subprocess, sys\nfrom pyusdt import libpyusdt as core\n"
    head += "def shown(): print(core.started(), flush=True)\n"
    done = subprocess.run(
        [sys.executable, *options, "-c", head + code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_programs_are_counted_by_name() -> None:
    code = """
import pathlib
subprocess.run(["true"])
core.count_started(True)
shown()
subprocess.run(["true"])
subprocess.run("true", shell=True)
subprocess.run([b"/bin/true"])
subprocess.run([pathlib.Path("/bin/true")])
subprocess.run(["/bin/true"], close_fds=False)  # by posix_spawn
os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
os.system("true")
try:
    subprocess.run(["no such \\udc80 program"])
except OSError:
    pass
shown()
core.count_started(False)
subprocess.run(["true"])
shown()
"""
    first, second, third = python(code).splitlines()
    assert first == "[]"
    wanted = [("true", 1), ("/bin/sh", 2), ("/bin/true", 4), (r"no such \udc80 program", 1)]
    assert second == third == repr(wanted)


def test_there_are_at_most_64_names() -> None:
    code = """
core.count_started(True)
for i in range(100):
    sys.audit("os.posix_spawn", f"p{i % 90}", [], {})
found = core.started()
print(len(found), found[0], found[-1], sum(count for _, count in found))
"""
    assert python(code) == "64 ('p0', 2) ('(others)', 27) 100\n"


def test_the_child_of_a_fork_begins_with_none() -> None:
    code = """
core.count_started(True)
os.system("true")
if os.fork() == 0:
    shown()
    try:
        os.execvp("no_such_program", ["x"])
    except OSError:
        shown()
    os.execvp("true", ["true"])
os.wait()
shown()
"""
    assert python(code) == "[]\n[]\n[('/bin/sh', 1)]\n"


def test_events_that_are_no_starts_and_odd_arguments() -> None:
    code = """
core.count_started(True)
class Odd:
    def __fspath__(self): raise SystemExit("code of the program")
    __repr__ = __str__ = __fspath__
for arguments in ((), (3,), (None,), (Odd(),), (b"\\xff",)):
    sys.audit("os.system", *arguments)
    sys.audit("os.exec", *arguments)
    sys.audit("subprocess.Popen", *arguments)
    sys.audit("os.listdir", *arguments)
print(core.started())
"""
    assert python(code) == r"[('/bin/sh', 4), ('?', 3), ('\\udcff', 1)]" + "\n"


def test_an_audit_hook_that_refuses_ours() -> None:
    code = """
def refuse(event, arguments):
    if event == "sys.addaudithook": raise RuntimeError
sys.addaudithook(refuse)
core.count_started(True)
os.system("true")
shown()
"""
    assert python(code) == "[]\n"


def test_the_program_begins_at_once_where_site_is_done() -> None:
    assert python("core.at_program(lambda: print('called'))\nprint('after')") == "called\nafter\n"
    code = "try:\n    core.at_program(int('x') if 0 else (lambda: 1 / 0))\n"
    code += "except ZeroDivisionError:\n    print('raised')"
    assert python(code) == "raised\n"


@pytest.mark.parametrize("fails", [False, True])
def test_the_program_begins_when_site_is_done(tmp_path: Path, fails: bool) -> None:
    what = "1 / 0" if fails else "sys.stdout.write('called ') and sys.stdout.flush()"
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nfrom pyusdt import libpyusdt\n"
        f"libpyusdt.at_program(lambda: {what})\nsys.stdout.write('site ')\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    said = python("print('program')", PYTHONPATH=path)
    assert said == f"site {'' if fails else 'called '}program\n"


def lines(*words: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], env={**os.environ, **variables}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("value", ["", "0", "1"])
def test_the_hook(value: str) -> None:
    code = "import sys; print('pyusdt' in sys.modules)"
    assert lines("-c", code, PYUSDT=value) == f"{value == '1'}\n"
    assert lines("-S", "-c", code, PYUSDT=value) == "False\n"
    assert lines("-c", code, PYUSDT=value, PYUSDT_RECORDING="") == f"{value == '1'}\n"


def test_the_hook_leaves_the_command_line_alone(tmp_path: Path) -> None:
    for words in (["-m", "pyusdt"], [str(Path(sys.executable).parent / "pyusdt")]):
        out = str(tmp_path / "out")
        assert lines(*words, "lib", PYUSDT="1", PYUSDT_RECORDING=out).endswith(".so\n")
        assert lines(*words, "-c", "print('ran')", PYUSDT="1") == "ran\n"
        assert not list(tmp_path.iterdir())


def test_a_hook_without_variables_costs_nothing() -> None:
    """One look at the environment: some microseconds of the 10 milliseconds of a start."""
    line = compile(HOOK.read_text(), "hook", "exec")
    fastest = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(1000):
            exec(line, {})
        fastest = min(fastest, (time.perf_counter() - start) / 1000)
    assert fastest < 50e-6
