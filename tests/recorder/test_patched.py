# SPDX-License-Identifier: Apache-2.0
"""The recorder does not live in the world that a program makes for itself, and reads whatever it
has written."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from harness import DEADLINE, ROOT

import pyusdt

from .recorded import calls

PROGRAM = Path(__file__).parent / "programs/patched.py"

_NAMES = {
    "os": (
        "getpid getppid getcwd geteuid uname urandom open write mkdir rmdir listdir stat lstat"
        " fstat readlink replace rename unlink fsync close path.exists path.isfile path.islink"
        " path.isdir path.abspath path.join path.split path.dirname path.basename"
    ),
    "time": "time time_ns monotonic monotonic_ns clock_gettime sleep perf_counter",
    "io": "open",
    "builtins": "open",
    "json": "dumps loads",
    "sqlite3": "connect",
    "fcntl": "flock",
    "secrets": "token_hex token_bytes",
    "shutil": "rmtree",
    "socket": "gethostname",
    "platform": "node",
}
NAMES = [f"{module}.{name}" for module, names in _NAMES.items() for name in names.split()]


def run(directory: Path, *words: str | Path, **env: str) -> str:
    """What `python` with these words says on stderr."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("how", ["exit", "undone", "os._exit", "fork", "exec", "block"])
def test_mocks_of_all_that_a_recorder_needs(tmp_path: Path, how: str) -> None:
    """They are not called, and those that stay until the end do not harm the recording."""
    options = ("-m", "pyusdt", "-o", "out", "--flush", "0.05")
    said = run(tmp_path, *options, PROGRAM, how, *NAMES)
    assert said.count("\n") == (0 if how == "exec" else 1), said
    recording = pyusdt.load(tmp_path / "out")
    assert calls(recording, "__main__")["work"] == 50 + (how in ("fork", "block"))
    assert len(recording.processes) == 1 + (how == "fork")
    if how == "block":
        assert calls(pyusdt.load(tmp_path / "block.pyusdt"), "__main__")["work"] == 1


def test_each_mock_alone(tmp_path: Path) -> None:
    """As one of them could hide the effect of another one."""
    for name in NAMES:
        run(tmp_path, "-m", "pyusdt", "-o", "out", PROGRAM, "undone", name)
        assert calls(pyusdt.load(tmp_path / "out"), "__main__")["work"] == 50, name


def test_what_runs_in_a_recorded_process_takes_the_system_from_one_place() -> None:
    """Modules that only look into recordings, or into other processes, need not."""
    package = ROOT / "pyusdt"
    run_there = [package / f"{name}.py" for name in ("errors", "exit_hooks", "files", "recorder",
                 "rundir", "running", "launch/child_processes", "launch/inherited")]  # fmt: skip
    for path in [*run_there, *(package / "recording").glob("*.py")]:
        tree = ast.parse(path.read_text())
        imported = {
            alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names
        }
        assert not imported & {"os", "time", "io", "fcntl", "json", "secrets", "shutil"}, path


def test_a_clock_before_1970(tmp_path: Path) -> None:
    """The program's own, while the block is recorded."""
    path = tmp_path / "out.pyusdt"
    with (
        mock.patch("time.time", return_value=-1e9),
        mock.patch("time.time_ns", return_value=-1),
        pyusdt.record(path),
    ):
        pyusdt.mark("here", 1)
    (process,) = pyusdt.load(path).processes
    assert process.started_ns > 0


NO_SQLITE = "import sys; sys.modules['_sqlite3'] = None"


def test_a_python_without_sqlite(tmp_path: Path) -> None:
    """One line names the module, and a child under a recording goes on."""
    (tmp_path / "sitecustomize.py").write_text(NO_SQLITE)
    (tmp_path / "program.py").write_text("print('it runs')")
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    words = [sys.executable, "-m", "pyusdt", "-o", "out", "program.py"]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "pyusdt: cannot record: this Python has no module _sqlite3\n"


def test_children_without_sqlite_are_recorded(tmp_path: Path) -> None:
    child = tmp_path / "child"
    child.mkdir()
    (child / "sitecustomize.py").write_text(NO_SQLITE)
    code = "import sys\ndef work(): assert sys.modules['_sqlite3'] is None\nwork()"
    source = f"import subprocess, sys, os\nos.environ['PYTHONPATH'] += ':{child}'\n"
    source += f"subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    (tmp_path / "program.py").write_text(source)
    run(tmp_path, "-m", "pyusdt", "-o", "out", "program.py")
    assert calls(pyusdt.load(tmp_path / "out"), "__main__")["work"] == 1


@pytest.mark.parametrize("line", [-1, -5, 0, 2**31 - 1])
def test_lines_that_no_source_has(tmp_path: Path, line: int) -> None:
    tree = ast.parse("def f():\n    return 1\n")
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = line  # type: ignore[attr-defined]
    names = {"__name__": "template"}
    exec(compile(tree, "page.html", "exec"), names)
    with pyusdt.record(tmp_path / "out"):
        for _ in range(10):
            names["f"]()  # type: ignore[operator]
    assert calls(pyusdt.load(tmp_path / "out"), "template")["f"] == 10


@pytest.mark.parametrize("name", [b"out\xff.pyusdt", b"a b\n.pyusdt", b"%41?#.pyusdt"])
def test_paths_that_are_no_text(tmp_path: Path, name: bytes) -> None:
    """Every format is written of a recording of such a name, and of a script of such a name."""
    script = os.fsdecode(b"script\xff.py")
    (tmp_path / script).write_text("def work(): pass\nwork()")
    out = os.fsdecode(name)
    said = run(tmp_path, "-m", "pyusdt", "-o", out, script)
    assert said.count("\n") == 1
    hint = said.partition("look into it: ")[2].rstrip("\n").removeprefix("pyusdt ")
    command = f"{sys.executable} -m pyusdt {hint}"
    shown = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert shown.returncode == 0 and b"work" in shown.stdout, shown.stderr
    for suffix in "html speedscope.json json csv folded pstats pb.gz perfetto.json".split():
        assert not run(tmp_path, "-m", "pyusdt", "report", out, "-o", f"r.{suffix}").count("rror")
        assert (tmp_path / f"r.{suffix}").stat().st_size
