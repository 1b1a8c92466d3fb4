# SPDX-License-Identifier: Apache-2.0
"""`pyusdt trace`: how it starts and ends programs and tracers, with a real bpftrace."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from harness import DEADLINE, ROOT, Process, maps
from scripts.trace import PROGRAM, Trace, counts, result_of, tables, without_ids

from pyusdt.library import library_path
from pyusdt.tracing import copies

pytestmark = [pytest.mark.usefixtures("bpftrace", "library"), pytest.mark.once]

WORK = ("__main__", "work")


def counted(output: str) -> dict[tuple[Any, ...], Any]:
    """What pycalls counted."""
    return counts(tables(output)["pycalls"], "calls")


def traced(*words: str | Path) -> tuple[int, dict[tuple[Any, ...], Any]]:
    """The exit code of a run of this program, and what pycalls counted of its work."""
    path = os.pathsep.join([str(PROGRAM.parent), str(ROOT)])
    with Trace("pycalls", "work", "-f", "json", "--", *words, PYTHONPATH=path) as trace:
        return trace.wait(), counted(trace.output)


def spelled(name: str, *words: str | Path) -> ParameterSet:
    """One way to name the program; it ends with 3."""
    return pytest.param(id=name, marks=result_of(traced, *words))


CODE = f"import sys; sys.argv[1:] = ['calls', 'ends']; exec(open({str(PROGRAM)!r}).read())"
DOES = ("calls", "ends")
DOES_AND_WAITS = ("calls", "waits")


@pytest.mark.parametrize(
    (),
    [
        spelled("script", PROGRAM, *DOES),
        spelled("python", sys.executable, "-u", PROGRAM, *DOES),
        spelled("options", sys.executable, "-Xdev", "-W", "ignore", "-m", "answers", *DOES),
        spelled("launcher", sys.executable, "-um", "pyusdt", PROGRAM, *DOES),
        spelled("module", "-m", "answers", *DOES),
        spelled("code", "-c", CODE),
    ],
)
def test_a_program_is_traced_whole_and_its_exit_code_is_ours(
    result: tuple[int, dict[tuple[Any, ...], Any]],
) -> None:
    assert result == (3, {WORK: 23})


@pytest.mark.parametrize(("options", "loaded"), [([], True), (["--no-children"], False)])
def test_what_the_program_starts_has_the_probes(options: list[str], loaded: bool) -> None:
    child = "import sys; print('loaded', 'pyusdt' in sys.modules)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    with Trace("pycalls", *options, "--", "-c", code) as trace:
        trace.expect(f"^loaded {loaded}$")
        assert trace.wait() == 0


def a_command() -> tuple[int, dict[tuple[Any, ...], Any]]:
    with tempfile.TemporaryDirectory() as directory:
        command = Path(directory) / "answers"
        command.write_text(f"#!{sys.executable}\n{PROGRAM.read_text()}")
        command.chmod(0o755)
        path = f"{directory}{os.pathsep}{os.environ['PATH']}"
        with Trace("pycalls", "work", "-f", "json", "--", "answers", "calls", PATH=path) as trace:
            return trace.wait(), counted(trace.output)


@result_of(a_command)
def test_a_command_that_python_runs(result: tuple[int, dict[tuple[Any, ...], Any]]) -> None:
    assert result == (0, {WORK: 23})


def test_a_program_that_python_refuses() -> None:
    with Trace("pycalls", "--", "-m", "no_such_module") as trace:
        assert trace.wait() == 1
        assert trace.output.splitlines() == [f"{sys.executable}: No module named no_such_module"]


def test_a_program_that_is_killed() -> None:
    code = "import os; os.kill(os.getpid(), 9)"
    with Trace("pycalls", "--", "-c", code) as trace:
        assert trace.wait() == 128 + signal.SIGKILL
        assert "pycalls  " in trace.output


def test_ctrl_c_ends_both_and_prints_what_was_counted() -> None:
    with Trace("pycalls", "work", "-f", "json", "--", PROGRAM, "calls", "waits") as trace:
        trace.expect("^ready")
        os.killpg(trace.pid, signal.SIGINT)
        assert trace.wait() == 128 + signal.SIGINT
        assert counted(trace.output) == {WORK: 23}


def test_ctrl_c_ends_the_tracer_of_a_process_and_not_the_process() -> None:
    with Trace("pycalls", "work", "-f", "json", "--", PROGRAM, "waits", "calls") as program:
        program.expect("^ready")
        pid = children(program.pid, "python")[0]
        with Trace("pystat", "-p", str(pid)) as trace:
            trace.expect(r"^\d\d:\d\d:\d\d")
            os.killpg(trace.pid, signal.SIGINT)
            assert trace.wait() == 0
        program.send("")
        assert program.wait() == 0
        assert counted(program.output)[WORK] == 23


def test_ctrl_c_before_the_probes_are_in_place() -> None:
    """bpftrace may end by the signal then, which is no failure."""
    with Trace("pycalls") as trace:
        while not children(trace.pid, "bpftrace") and trace.child.poll() is None:
            pass
        os.killpg(trace.pid, signal.SIGINT)
        assert trace.wait() in (0, 128 + signal.SIGINT)
        assert "exit code" not in trace.output


def test_the_tracer_ends_with_its_process() -> None:
    with Trace("pycalls", "--", PROGRAM, "waits") as program:
        program.expect("^ready")
        with Trace("pystat", "-p", str(children(program.pid, "python")[0])) as trace:
            trace.expect(r"^\d\d:\d\d:\d\d")
            program.send("")
            assert program.wait() == 0
            assert trace.wait() == 0


def test_sigterm_is_for_the_program() -> None:
    with Trace("pycalls", "work", "-f", "json", "--", PROGRAM, "calls", "waits") as trace:
        trace.expect("^ready")
        trace.child.send_signal(signal.SIGTERM)
        trace.child.wait(DEADLINE)  # its input stays open: the program ends when that does, too
        assert trace.wait() == 128 + signal.SIGTERM
        assert counted(trace.output) == {WORK: 23}


def test_a_trace_ends_in_time_and_its_program_runs_on() -> None:
    with Trace(
        "pycalls", "work", "-d", "0.5", "-f", "json", "--", PROGRAM, *DOES_AND_WAITS
    ) as trace:
        trace.expect("^}$")
        assert counted(trace.output) == {WORK: 23}
        trace.send("")
        assert trace.wait() == 0


def test_raw_is_what_bpftrace_prints() -> None:
    with Trace("pycalls", "work", "--raw", "--", PROGRAM, "calls") as trace:
        assert trace.wait() == 0
        assert without_ids(maps(trace.output)) == {"calls[__main__, work]": 23}


def test_a_filter_that_matches_nothing_is_said_with_what_is_near() -> None:
    with Trace("pycalls", "wrok", "--", PROGRAM, "calls") as trace:
        assert trace.wait() == 0
        trace.expect("^nothing was counted$")
        trace.expect("^pyusdt: no function's .* contains 'wrok'; did you mean 'work'\\?$")


def test_names_that_begin_alike_are_told_apart() -> None:
    begin = "a_generated_function_name_" + "x" * 60
    code = f"def {begin}_{{0}}(): pass\nfor _ in range({{0}}): {begin}_{{0}}()\n"
    program = "".join(code.format(n) for n in (7, 23))
    with Trace("pycalls", "generated", "-f", "json", "--", "-c", program) as trace:
        assert trace.wait() == 0
        assert counted(trace.output) == {
            ("__main__", f"{begin}_7"): 7,
            ("__main__", f"{begin}_23"): 23,
        }


def test_a_process_with_another_copy_of_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "pyusdt", tmp_path / "pyusdt")
    code = "import pyusdt; print('ready', flush=True); input()"
    other, ours = (Process([sys.executable, "-c", code], cwd=place) for place in (tmp_path, ROOT))
    with other, ours:
        other.expect("^ready")
        ours.expect("^ready")
        monkeypatch.setattr(copies.proc, "pids", lambda: [other.pid, ours.pid])
        (note,) = copies.notes(library_path())
        path = f"{tmp_path}/pyusdt/libpyusdt.abi3.so"
        assert note == (
            f"process {other.pid} has another copy of the library, {path}: "
            f"only -p {other.pid} traces it"
        )


def test_no_tracer_is_left_behind() -> None:
    with Trace("pycalls", "--", PROGRAM, "waits") as trace:
        trace.expect("^ready")
        (tracer,) = children(trace.pid, "bpftrace")
        handle = os.pidfd_open(tracer)
        trace.child.kill()
        try:
            assert select.select([handle], [], [], DEADLINE)[0], "bpftrace runs on"
        finally:
            os.close(handle)


def test_a_script_of_ones_own(tmp_path: Path) -> None:
    script = tmp_path / "mine.bt"
    script.write_text(
        "usdt:$1:pyusdt:PY_START /str(arg0, 16) == str($2)/ { @[str(arg0, 16), $3] = count(); }"
    )
    with Trace(script, "work", "41", "--", PROGRAM, "calls") as trace:
        assert trace.wait() == 0
        assert maps(trace.output) == {"[work, 41]": 23}


def test_a_script_that_is_wrong(tmp_path: Path) -> None:
    script = tmp_path / "wrong.bt"
    script.write_text("usdt:$1:pyusdt:NO_SUCH_PROBE { @ = count(); }")
    with Trace(script, "--", "-c", "print('it ran')") as trace:
        assert trace.wait() == 1
        assert trace.output.endswith("pyusdt: bpftrace could not attach, see above\n")
        assert "it ran" not in trace.output
        assert "gone" not in trace.output  # nor does the program say anything


def test_a_running_process_that_tells_of_less_than_is_asked_for() -> None:
    with Trace("pycalls", "--", PROGRAM, "waits") as program:
        program.expect("^ready")
        pid = children(program.pid, "python")[0]
        with Trace("pyslower", "1", "-p", str(pid)) as trace:
            trace.expect(
                rf"^pyusdt: process {pid} reports calls from 10 ms on only; "
                rf"for more: pyusdt set -p {pid} --slow 1ms$"
            )


def children(pid: int, name: str) -> list[int]:
    """The children of a process that run a program of this name."""
    found = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return [child for child in found if name in os.readlink(f"/proc/{child}/exe")]
