# SPDX-License-Identifier: Apache-2.0
"""The command line: verbs, errors in one line, exit codes; and what importing pyusdt does."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pyusdt._version import __version__
from pyusdt.commands import VERBS
from pyusdt.errors import ExitCode

DEADLINE = 60
COMMAND = [sys.executable, "-m", "pyusdt"]


def pyusdt(*words: str, code: ExitCode, cwd=None) -> subprocess.CompletedProcess[str]:
    """Run the command line with `words`; fails unless it exits with `code`."""
    done = subprocess.run(
        [*COMMAND, *words], cwd=cwd, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE, check=False
    )


def test_nothing_asked():
    done = pyusdt(code=ExitCode.USAGE)
    assert done.stdout == ""
    assert done.stderr.startswith("usage: python -m pyusdt [options] script.py | -m")
    assert all(f"  {verb}" in done.stderr for verb in VERBS)


def test_it_is_named_as_it_was_called():
    script = Path(sys.executable).with_name("pyusdt")
    for words in ([], ["--help"], ["set", "--help"], ["dashboard", "x"]):
        done = subprocess.run(
            [script, *words], capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        assert "python -m pyusdt" not in done.stdout + done.stderr
        assert re.search(r"^(usage: |pyusdt: .*)\bpyusdt\b", done.stdout + done.stderr)


@pytest.mark.parametrize("option", ["-h", "--help", "help"])
def test_help_lists_every_verb(option):
    done = pyusdt(option, code=ExitCode.OK)
    assert done.stderr == ""
    for verb, (_, summary) in VERBS.items():
        assert f"  {verb}" in done.stdout
        assert summary in done.stdout


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version(option):
    assert pyusdt(option, code=ExitCode.OK).stdout == f"pyusdt {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb):
    done = pyusdt(verb, "--help", code=ExitCode.OK)
    assert done.stdout.startswith(f"usage: python -m pyusdt {verb}")


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb(verb):
    assert pyusdt("help", verb, code=ExitCode.OK).stdout.startswith(
        f"usage: python -m pyusdt {verb}"
    )


def test_a_file_named_help_is_run(tmp_path):
    (tmp_path / "help").write_text("print('the file')")
    assert pyusdt("help", code=ExitCode.OK, cwd=tmp_path).stdout == "the file\n"


INTERRUPTED_IMPORT = """
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "pyusdt.launch.run":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
import runpy
runpy.run_module("pyusdt", run_name="__main__", alter_sys=True)
"""


def test_interrupted_before_the_program_is_looked_for():
    done = python(INTERRUPTED_IMPORT)
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.INTERRUPTED, "", "")


def test_lib_prints_the_canonical_path():
    path = pyusdt("lib", code=ExitCode.OK).stdout.removesuffix("\n")
    assert os.path.realpath(path) == path
    with open(path, "rb") as library:
        assert library.read(4) == b"\x7fELF"


def test_file_wins_over_verb(tmp_path):
    (tmp_path / "lib").write_text("print('the file')")
    assert pyusdt("lib", code=ExitCode.OK, cwd=tmp_path).stdout == "the file\n"


def test_directory_that_python_cannot_run_does_not(tmp_path):
    (tmp_path / "lib").mkdir()
    assert pyusdt("lib", code=ExitCode.OK, cwd=tmp_path).stdout.startswith("/")
    (tmp_path / "lib/__main__.py").write_text("print('the directory')")
    assert pyusdt("lib", code=ExitCode.OK, cwd=tmp_path).stdout == "the directory\n"


HELP = "see `python -m pyusdt --help`"
SECONDS = "needs a number of seconds above 0, as in --wait=10"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lbi"], "there is no file and no verb 'lbi'; did you mean 'lib'?"),
        (["dashboard", "x"], f"there is no file and no verb 'dashboard'; {HELP}"),
        (["--wiat", "x.py"], "unknown option '--wiat'; did you mean '--wait'?"),
        (["--xyzzy", "x.py"], f"unknown option '--xyzzy'; {HELP}"),
        (["-u", "x.py"], "unknown option '-u'; Python's own options go first: python -u -m pyusdt"),
        (["-o", "a", "-ob", "x.py"], "option '-o' is given twice"),
        (["-o", "a", "--output=b", "x.py"], "option '--output' is given twice"),
        (["--flush=1", "-o", "a", "--flush", "2", "x.py"], "option '--flush' is given twice"),
        (
            ["report", "a", "-o", "b", "--output", "c"],
            "report: option '-o/--output' is given twice; see `python -m pyusdt report --help`",
        ),
        (["--wait"], "name the program to run: script.py, -m module, -c code or -"),
        (["--wait=", "x.py"], f"option '--wait=' {SECONDS}"),
        (["--wait=soon", "x.py"], f"option '--wait=soon' {SECONDS}"),
        (["--wait=0", "x.py"], f"option '--wait=0' {SECONDS}"),
        (["--wait=-1", "x.py"], f"option '--wait=-1' {SECONDS}"),
        (["--wait=inf", "x.py"], f"option '--wait=inf' {SECONDS}"),
        (["--wait=nan", "x.py"], f"option '--wait=nan' {SECONDS}"),
        (["-m"], "option -m needs a value"),
        (["--wait", "-c"], "option -c needs a value"),
        (["lib", "--hepl"], "lib: unknown argument '--hepl'; did you mean '--help'?"),
        (["lib", "x"], "lib: unknown argument 'x'; see `python -m pyusdt lib --help`"),
    ],
    ids=" ".join,
)
def test_usage_error_is_one_line(words, message):
    done = pyusdt(*words, code=ExitCode.USAGE)
    assert done.stderr == f"pyusdt: {message}\n"
    assert done.stdout == ""


def test_the_api_has_what_it_names():
    import pyusdt
    from pyusdt.errors import UserError

    assert pyusdt.UserError is UserError
    assert all(hasattr(pyusdt, name) for name in pyusdt.__all__)
    with pytest.raises(AttributeError, match="module 'pyusdt' has no attribute 'nothing'"):
        _ = pyusdt.nothing


def test_help_and_dir_show_what_is_imported_late():
    done = python("import pyusdt; print(dir(pyusdt)); help(pyusdt)")
    assert done.returncode == 0
    listed = eval(done.stdout.splitlines()[0])
    assert {"record", "UserError", "load", "step"} <= set(listed)
    assert "class record(" in done.stdout
    assert "Record what Python functions do" in done.stdout


@pytest.mark.parametrize("words", [["lib"], ["--help"], ["lib", "--help"]], ids=" ".join)
def test_closed_pipe_is_not_told(words):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as nobody:
        done = subprocess.run(
            [*COMMAND, *words], stdout=nobody, stderr=subprocess.PIPE, timeout=DEADLINE, check=False
        )
    assert (done.returncode, done.stderr) == (ExitCode.PIPE_CLOSED, b"")


def test_no_tracer_in_time():
    done = pyusdt("--wait=0.01", "-c", "print('ran')", code=ExitCode.FAILURE)
    invitation, verdict = done.stderr.splitlines()
    assert "waits for a tracer, such as: bpftrace -p " in invitation
    assert verdict == "pyusdt: no tracer came within 0.01 seconds; the program was not run"
    assert done.stdout == ""


@pytest.mark.parametrize("option", ["--wait", "--wait=60"])
def test_interrupted_while_it_waits(option):
    with subprocess.Popen(
        [*COMMAND, option, "-c", "print('ran')"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert f"process {process.pid} waits" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=DEADLINE) == ("", "")
    assert process.returncode == ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-c", "x = ("], "SyntaxError: '(' was never closed"),
        (["nosuch.py"], "No such file or directory"),
        (["-m", "nosuch"], "No module named nosuch"),
        (["-m", ".nosuch"], "Relative module names not supported"),
        (["."], "can't find '__main__' module"),
    ],
    ids=str,
)
def test_what_cannot_run_is_not_held(tmp_path, words, message):
    done = subprocess.run(
        [*COMMAND, "--wait", *words],
        cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "waits" not in done.stderr


def test_import_brings_little_else():
    done = python(
        "import sys; before = set(sys.modules); import pyusdt; "
        "new = set(sys.modules) - before - set(sys.builtin_module_names); "
        "print(sorted(name.partition('.')[0] for name in new))"
    )
    assert set(eval(done.stdout)) == {"pyusdt", "types"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("sys.implementation.name = 'pypy'", "pyusdt needs CPython and this is pypy: "),
        ("sys.version_info = (3, 11, 7)", "sys.monitoring and Python 3.11.7 has none: "),
        ("sys.platform = 'darwin'", "pyusdt needs Linux's probes and this is darwin: "),
        ("sys.platform = 'win32'", "pyusdt needs Linux's probes and this is win32: "),
        ("sys.modules['pyusdt.libpyusdt'] = None", "pyusdt's compiled library does not load ("),
    ],
    ids=["pypy", "old", "macos", "windows", "not compiled"],
)
def test_import_tells_why_it_fails(change, message):
    done = python(f"import sys; {change}; import pyusdt")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert message in last
    assert "run" in last.partition(": ")[2]


THREADS = "import os; print(len(os.listdir('/proc/self/task')))"


@pytest.mark.parametrize(
    "words",
    [["-c", f"import pyusdt; {THREADS}"], ["-m", "pyusdt", "-c", THREADS]],
    ids=["imported", "launched"],
)
def test_the_watcher_runs(words):
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert (done.stdout, done.stderr) == ("2\n", "")
