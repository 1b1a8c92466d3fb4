# SPDX-License-Identifier: Apache-2.0
"""`pyusdt trace`: how it starts and ends programs and tracers, with a real bpftrace."""

from __future__ import annotations

import os
import select
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from harness import DEADLINE, ROOT, maps
from scripts.trace import PROGRAM, Trace, result_of

pytestmark = [pytest.mark.usefixtures("bpftrace", "library"), pytest.mark.once]

WORK = "calls[__main__, work]"


def traced(*words: str | Path) -> tuple[int, dict[str, int]]:
    """The exit code of a run of this program, and what pycalls counted of its work."""
    path = os.pathsep.join([str(PROGRAM.parent), str(ROOT)])
    with Trace("pycalls", "work", "--", *words, PYTHONPATH=path) as trace:
        return trace.wait(), maps(trace.output)


def spelled(name: str, *words: str | Path) -> ParameterSet:
    """One way to name the program; it ends with 3."""
    return pytest.param(id=name, marks=result_of(traced, *words))


CODE = f"import sys; sys.argv[1:] = ['calls', 'ends']; exec(open({str(PROGRAM)!r}).read())"
DOES = ("calls", "ends")


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
    result: tuple[int, dict[str, int]],
) -> None:
    assert result == (3, {WORK: 23})


def a_command() -> tuple[int, dict[str, int]]:
    with tempfile.TemporaryDirectory() as directory:
        command = Path(directory) / "answers"
        command.write_text(f"#!{sys.executable}\n{PROGRAM.read_text()}")
        command.chmod(0o755)
        path = f"{directory}{os.pathsep}{os.environ['PATH']}"
        with Trace("pycalls", "work", "--", "answers", "calls", PATH=path) as trace:
            return trace.wait(), maps(trace.output)


@result_of(a_command)
def test_a_command_that_python_runs(result: tuple[int, dict[str, int]]) -> None:
    assert result == (0, {WORK: 23})


def test_a_program_that_python_refuses() -> None:
    with Trace("pycalls", "--", "-m", "no_such_module") as trace:
        assert trace.wait() == 1
        assert trace.output.splitlines() == [f"{sys.executable}: No module named no_such_module"]


def test_a_program_that_is_killed() -> None:
    code = "import os; os.kill(os.getpid(), 9)"
    with Trace("pycalls", "--", "-c", code) as trace:
        assert trace.wait() == 128 + signal.SIGKILL
        assert "CALLS by module" in trace.output


def test_ctrl_c_ends_both_and_prints_what_was_counted() -> None:
    with Trace("pycalls", "work", "--", PROGRAM, "calls", "waits") as trace:
        trace.expect("^ready")
        os.killpg(trace.pid, signal.SIGINT)
        assert trace.wait() == 128 + signal.SIGINT
        assert maps(trace.output) == {WORK: 23}


def test_ctrl_c_ends_the_tracer_of_a_process_and_not_the_process() -> None:
    with Trace("pycalls", "work", "--", PROGRAM, "waits", "calls") as program:
        program.expect("^ready")
        pid = children(program.pid, "python")[0]
        with Trace("pystat", "-p", str(pid)) as trace:
            trace.expect(r"^\d\d:\d\d:\d\d")
            os.killpg(trace.pid, signal.SIGINT)
            assert trace.wait() == 0
        program.send("")
        assert program.wait() == 0
        assert maps(program.output)[WORK] == 23


def test_the_tracer_ends_with_its_process() -> None:
    with Trace("pycalls", "--", PROGRAM, "waits") as program:
        program.expect("^ready")
        with Trace("pystat", "-p", str(children(program.pid, "python")[0])) as trace:
            trace.expect(r"^\d\d:\d\d:\d\d")
            program.send("")
            assert program.wait() == 0
            assert trace.wait() == 0


def test_sigterm_is_for_the_program() -> None:
    with Trace("pycalls", "work", "--", PROGRAM, "calls", "waits") as trace:
        trace.expect("^ready")
        trace.child.send_signal(signal.SIGTERM)
        trace.child.wait(DEADLINE)  # its input stays open: the program ends when that does, too
        assert trace.wait() == 128 + signal.SIGTERM
        assert maps(trace.output) == {WORK: 23}


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
