# SPDX-License-Identifier: Apache-2.0
"""`pyusdt trace`: run a script of the collection, or one's own, through bpftrace."""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

from pyusdt.commands.processes import process_id
from pyusdt.errors import ExitCode, UsageError, UserError
from pyusdt.library import library_path
from pyusdt.remote import proc
from pyusdt.remote.attached import Process
from pyusdt.tracing.bpftrace import Installed, Tracer, require
from pyusdt.tracing.scripts import DIRECTORY, Script, collection, find
from pyusdt.tracing.target import Held, library_of, python_of

EPILOG = """
-p follows one process; a program after -- is started, held until the tracer is attached, and
followed, and its exit code is ours. With neither, all processes that have this pyusdt are followed,
those too that start later. Ctrl-C ends, and has what was counted printed.

The parameters of a tool are in the header of its script, in {directory}.
A script FILE.bt gets the path of the library as $1 and the parameters as $2, $3 ...
"""


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb to `parser`."""
    parser.usage = (
        "python -m pyusdt trace TOOL [parameter...] [-p PID | -- program [argument...]]\n"
        "       python -m pyusdt trace --list"
    )
    parser.description = "Answer a question about running Python programs with bpftrace."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG.format(directory=DIRECTORY).strip()
    parser.add_argument("tool", nargs="?", metavar="TOOL", help="a tool's name, or FILE.bt")
    parser.add_argument("parameters", nargs="*", metavar="parameter", help="for the tool")
    parser.add_argument("-p", "--pid", metavar="PID", type=process_id, help="the process to follow")
    parser.add_argument("--list", action="store_true", help="list the tools, and end")
    parser.set_defaults(program=None)  # the words after --


def run(arguments: argparse.Namespace) -> int:
    """List the tools, or trace; the exit code."""
    if arguments.list:
        _print_list()
        return ExitCode.OK
    if arguments.tool is None:
        raise UsageError("trace: name a tool; see `pyusdt trace --list`")
    if arguments.program is not None and arguments.pid is not None:
        raise UsageError("trace: give either -p PID or a program, not both")
    script = find(arguments.tool)
    if arguments.program is not None:
        return _trace_program(script, arguments.parameters, arguments.program)
    return _trace_running(script, arguments.parameters, arguments.pid)


def _print_list() -> None:
    scripts = collection()
    width = max(len(f"{script.name} {script.parameters}") for script in scripts)
    for script in scripts:
        print(f"{f'{script.name} {script.parameters}':{width}}  {script.question}")


def _trace_running(script: Script, parameters: list[str], pid: int | None) -> int:
    installed = require(script)
    library = library_path()
    if pid is not None:
        with Process(pid) as process:
            library = library_of(process)
            _warn_of_slow(script, parameters, process)
    with _tracer(installed, script, library, parameters, pid) as tracer:
        _on_signals((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), tracer.stop)
        tracer.wait_attached()
        if code := tracer.relay_all(lambda: pid is not None and not proc.exists(pid)):
            raise UserError(f"bpftrace ended with exit code {code}")
    return ExitCode.OK


def _trace_program(script: Script, parameters: list[str], words: list[str]) -> int:
    if not words:
        raise UsageError("trace: name the program to run after --")
    installed = require(script)
    with Held(words, _settings_for(script, parameters)) as program:
        if not program.wait_held():
            return program.wait()
        pid = program.child.pid
        with Process(pid) as process:
            library = library_of(process)
        with _tracer(installed, script, library, parameters, pid) as tracer:
            # The terminal sends SIGINT to the program, too; the other two are ours to pass on.
            _on_signals((signal.SIGINT,), tracer.stop)
            _on_signals((signal.SIGTERM, signal.SIGHUP), program.terminate)
            tracer.wait_attached()
            program.release()
            tracer.relay_all(program.has_ended)
            return program.wait()


def _tracer(
    installed: Installed, script: Script, library: str, parameters: list[str], pid: int | None
) -> Tracer:
    """Start bpftrace on `script` with all that it is given."""
    values = {
        "PYTHON": lambda: python_of(os.getpid() if pid is None else pid),
        "PID": lambda: str(pid or 0),
    }
    words = [library, *(values[name]() for name in script.given), *parameters]
    return Tracer(installed, script.path, words, None if "PID" in script.given else pid)


def _milliseconds(script: Script, parameters: list[str]) -> int | None:
    """Return from how slow on the tool reports calls; None: it does not report slow calls."""
    if "function__slow" not in script.code or not parameters or not parameters[0].isdecimal():
        return None
    return int(parameters[0]) or None  # as the scripts do: 0 is their default


def _settings_for(script: Script, parameters: list[str]) -> dict[str, str]:
    """Return the variables by which the program fires what the tool needs."""
    milliseconds = _milliseconds(script, parameters)
    if milliseconds is None or "PYUSDT_SLOW_USEC" in os.environ:
        return {}
    return {"PYUSDT_SLOW_USEC": str(milliseconds * 1000)}


def _warn_of_slow(script: Script, parameters: list[str], process: Process) -> None:
    """Warn if a running process does not fire for all calls that the tool wants."""
    milliseconds = _milliseconds(script, parameters)
    slow = process.status()["slow_usec"]
    if milliseconds is not None and (slow is None or slow > milliseconds * 1000):
        fired = "no slow calls" if slow is None else f"calls from {slow / 1000:g} ms on only"
        print(
            f"pyusdt: process {process.pid} reports {fired}; for more: "
            f"pyusdt set -p {process.pid} --slow {milliseconds}ms",
            file=sys.stderr,
        )


def _on_signals(signals: tuple[int, ...], action: Callable[[], None]) -> None:
    def handle(_number: int, _frame: FrameType | None) -> None:
        action()

    for number in signals:
        signal.signal(number, handle)
