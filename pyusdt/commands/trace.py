# SPDX-License-Identifier: Apache-2.0
"""`pyusdt trace`: run a script of the collection, or one's own, through bpftrace."""

import argparse
import math
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple

from pyusdt.commands.processes import process_id
from pyusdt.errors import ExitCode, UsageError, UserError, print_line
from pyusdt.library import library_path
from pyusdt.remote import proc
from pyusdt.remote.attached import Process
from pyusdt.tracing import copies
from pyusdt.tracing.bpftrace import Installed, Tracer, require
from pyusdt.tracing.output import Output
from pyusdt.tracing.scripts import DIRECTORY, Script, collection, find
from pyusdt.tracing.target import Held, library_of, python_of

EPILOG = """
-p follows one process; a program after -- is started, held until the tracer is attached, and
followed, and its exit code is ours; the Pythons that it starts have the probes too, for other
tracers. With neither, all processes that have this pyusdt are followed,
those too that start later. Ctrl-C ends, and has what was counted printed.

`pyusdt trace TOOL --help` shows a tool's parameters, an example, how to read it, and its cost: the
header of its script, in {directory}.
A script FILE.bt gets the path of the library as $1 and the parameters as $2, $3 ...
"""


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb to `parser`."""
    parser.usage = (
        "%(prog)s TOOL [parameter...] [-p PID | -- program [argument...]]\n       %(prog)s --list"
    )
    parser.description = "Answer a question about running Python programs with bpftrace."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG.format(directory=DIRECTORY).strip()
    parser.add_argument("tool", nargs="?", metavar="TOOL", help="a tool's name, or FILE.bt")
    parser.add_argument("parameters", nargs="*", metavar="parameter", help="for the tool")
    parser.add_argument("-p", "--pid", metavar="PID", type=process_id, help="the process to follow")
    parser.add_argument(
        "--no-children",
        action="store_true",
        help="the Pythons that the program starts have no probes by themselves",
    )
    parser.add_argument("-d", "--duration", metavar="SECONDS", type=_seconds,
        help="end the trace after so long; a program after -- runs on")  # fmt: skip
    parser.add_argument("-f", "--format", choices=("table", "json"), default="table",
        help="json: a document, or an object a line of what prints while it runs")  # fmt: skip
    parser.add_argument("--all", action="store_true",
        help="every row, also those of how Python imports, starts threads and waits")  # fmt: skip
    parser.add_argument("--raw", action="store_true", help="bpftrace's own output")
    parser.add_argument("--list", action="store_true", help="list the tools, and end")
    parser.set_defaults(program=None)  # the words after --


def help_about(words: list[str]) -> str | None:
    """What --help shows with these words: of a tool, the comment of its script."""
    for script in collection():
        if script.name in words:
            return f"{script.header}\n\nOptions: pyusdt trace --help\n"
    return None


def run(arguments: argparse.Namespace) -> int:
    """List the tools, or trace; the exit code."""
    if arguments.list:
        _print_list()
        return ExitCode.OK
    if arguments.tool is None:
        raise UsageError("trace: name a tool; see `pyusdt trace --list`")
    if arguments.program is not None and arguments.pid is not None:
        raise UsageError("trace: give either -p PID or a program, not both")
    if arguments.no_children and arguments.program is None:
        raise UsageError("trace: --no-children is about a program after --")
    script = find(arguments.tool)
    script.check(arguments.parameters)
    if (arguments.format != "table" or arguments.all) and (arguments.raw or not script.is_ours):
        raise UsageError("trace: -f and --all are about the tables of our own tools")
    output = None
    if script.is_ours and not arguments.raw:
        output = Output(
            script,
            arguments.parameters,
            as_json=arguments.format == "json",
            everything=arguments.all,
        )
    trace = Trace(script, arguments.parameters, output, arguments.duration)
    if arguments.program is not None:
        return _trace_program(trace, arguments.program, children=not arguments.no_children)
    return _trace_running(trace, arguments.pid)


class Trace(NamedTuple):
    """What is asked for."""

    script: Script
    parameters: list[str]
    output: Output | None
    """None: bpftrace's own."""
    duration: float | None

    def run(self, tracer: Tracer, finished: Callable[[], bool]) -> int:
        """Have an attached tracer print until it ends; its exit code."""
        if self.duration is not None:
            tracer.end_after(self.duration)
        code = tracer.relay_all(finished)
        if self.output is not None:
            self.output.finish(tracer.seconds)
        return code


def _seconds(text: str) -> float:
    """An argument that is a time."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"not a number of seconds: '{text}'")
    return seconds


def _print_list() -> None:
    scripts = collection()
    width = max(len(f"{script.name} {script.parameters}") for script in scripts)
    for script in scripts:
        print(f"{f'{script.name} {script.parameters}':{width}}  {script.question}")


def _trace_running(trace: Trace, pid: int | None) -> int:
    installed = require(trace.script)
    library = library_path()
    if pid is not None:
        with Process(pid) as process:
            library = library_of(process)
            _warn_of_slow(trace.script, trace.parameters, process)
    else:
        for note in copies.notes(library):
            print_line(note)
    with _tracer(installed, trace, library, pid) as tracer:
        _on_signals((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), tracer.stop)
        tracer.wait_attached(pid)
        code = trace.run(tracer, lambda: pid is not None and not proc.exists(pid))
        if code == -signal.SIGINT:  # Ctrl-C before its probes were in place
            return ExitCode.INTERRUPTED
        if code:
            raise UserError(f"bpftrace ended with exit code {code}")
    return ExitCode.OK


def _trace_program(trace: Trace, words: list[str], *, children: bool) -> int:
    if not words:
        raise UsageError("trace: name the program to run after --")
    installed = require(trace.script)
    settings = {
        **_settings_for(trace.script, trace.parameters),
        "PYUSDT": "1" if children else "0",
    }
    with Held(words, settings) as program:
        if not program.wait_held():
            return program.wait()
        pid = program.child.pid
        with Process(pid) as process:
            library = library_of(process)
        with _tracer(installed, trace, library, pid) as tracer:
            # The terminal sends SIGINT to the program, too; the other two are ours to pass on.
            _on_signals((signal.SIGINT,), tracer.stop)
            _on_signals((signal.SIGTERM, signal.SIGHUP), program.terminate)
            tracer.wait_attached(pid)
            program.release()
            trace.run(tracer, program.has_ended)
            return program.wait()


def _tracer(installed: Installed, trace: Trace, library: str, pid: int | None) -> Tracer:
    """Start bpftrace on the script with all that it is given."""
    script = trace.script
    values = {
        "PYTHON": lambda: python_of(os.getpid() if pid is None else pid),
        "PID": lambda: str(pid or 0),
    }
    words = [library, *(values[name]() for name in script.given), *trace.parameters]
    data = trace.output.data if trace.output else None
    return Tracer(installed, script.path, words, None if "PID" in script.given else pid, data)


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
