# SPDX-License-Identifier: Apache-2.0
"""The report for the terminal: functions, lines, the call tree, or steps; losses are below."""

from typing import BinaryIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pyusdt.recording import Recording
from pyusdt.recording.charges import MEASURES, WAITS
from pyusdt.report import call_tree, killed, missing
from pyusdt.report.annotated import print_lines
from pyusdt.report.bars import legend
from pyusdt.report.call_tree import tree_table
from pyusdt.report.columns import Column, Name, Row, table
from pyusdt.report.console import console_on
from pyusdt.report.functions import functions_table, kinds_shown
from pyusdt.report.header import print_header
from pyusdt.report.losses import lines
from pyusdt.report.memory import print_memory
from pyusdt.report.modules import print_modules
from pyusdt.report.options import Options
from pyusdt.report.order import default, idle, ordered
from pyusdt.report.sparks import sparks
from pyusdt.report.text import duration, number, plural, printable
from pyusdt.report.waits import print_waits

_STEPS = (
    Column("count"),
    Column("mean"),
    Column("spread", 5),
    Column("min", 4),
    Column("p50", 3),
    Column("p99", 1),
    Column("max", 2),
    Column("series", 6, left=True),
)

_IDLE = 5  # functions that are shown, however many others are asked for


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """Write the table, in colour where `out` is a terminal."""
    sort = options.sort or default(recording)
    with console_on(out) as console:
        if options.memory or options.leaks:
            print_memory(console, recording, options)
            _print_notes(console, recording)
            return
        kinds = print_header(console, recording, threads=options.threads)
        if options.waits:
            print_waits(console, recording, sort if sort in WAITS else None, options.top)
        elif options.lines is not None:
            print_lines(console, recording, options)
        elif options.steps:
            console.print(_steps(recording, console.width))
        elif options.modules:
            print_modules(console, recording, sort.removesuffix("_ns"), options.top)
            kinds |= call_tree.kinds_shown(recording)
        elif options.tree:
            console.print(tree_table(recording, _measure(sort), console.width))
            kinds |= call_tree.kinds_shown(recording)
        else:
            kinds |= _print_functions(console, recording, options)
        if kinds:
            console.print(legend(kinds, console.width))
        _print_notes(console, recording)


def _measure(sort: str) -> str:
    """By what a tree is ordered that was asked to be by `sort`."""
    measure = sort.removesuffix("_ns")
    return measure if measure in MEASURES else "total"


def _print_functions(console: Console, recording: Recording, options: Options) -> set[str]:
    """Print them, in the default order also those that idle the longest. Return the kinds of time
    in their bars."""
    functions = ordered(recording, options.sort)
    shown = functions[: options.top]
    if options.sort is None:
        there = {f.index for f in shown}
        shown += [f for f in idle(recording)[:_IDLE] if f.index not in there]
    sort = options.sort or default(recording)
    console.print(functions_table(recording, shown, sort, console.width))
    if hidden := len(functions) - len(shown):
        console.print(Text(f"{hidden:,} more functions: --top {len(functions)}", "dim"))
    return kinds_shown(recording, shown)


def _steps(recording: Recording, width: int) -> Table:
    rows: list[Row] = []
    for step in recording.steps:
        shown = duration if step.kind == "step" else number
        middle = (step.mean, step.deviation, step.min, step.percentile(0.5))
        values = (*middle, step.percentile(0.99), step.max)
        name = printable(step.name, 100) or "(nameless)"
        beside = (("mark", "dim"),) if step.kind == "mark" else ()
        series = Text(sparks(step.numbers), style="cyan")
        rows.append(((number(step.count), *map(shown, values), series), Name(name, beside)))
    return table(_STEPS, rows, "step or mark", width)


def _print_notes(console: Console, recording: Recording) -> None:
    for line in lines(recording.losses):
        console.print(Text(line, style="dim" if line.startswith("note") else "yellow"))
    if note := missing.line(recording):
        console.print(Text(note, style="dim"))
    for line in killed.lines(recording):
        console.print(Text(line, style="yellow"))
    running = sum(
        process.ended_ns is None and process.reason is None for process in recording.processes
    )
    if recording.path and running:
        note = f"{plural(running, 'process', 'processes')} killed or still running:"
        console.print(Text(f"{note} the recording ends with the last flush", style="yellow"))
