# SPDX-License-Identifier: Apache-2.0
"""The report for the terminal: functions, lines, the call tree, or steps; losses are below."""

from typing import BinaryIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pyusdt.memory import is_sampled
from pyusdt.recording import Recording, Step
from pyusdt.recording.charges import MEASURES, WAITS
from pyusdt.report import call_tree, killed, missing
from pyusdt.report.annotated import print_lines
from pyusdt.report.bars import legend
from pyusdt.report.call_tree import tree_table
from pyusdt.report.columns import Cell, Column, Name, Row, table
from pyusdt.report.console import console_on
from pyusdt.report.functions import functions_table, kinds_shown
from pyusdt.report.growth import print_growth
from pyusdt.report.header import print_header
from pyusdt.report.losses import lines
from pyusdt.report.memory import print_memory
from pyusdt.report.modules import print_modules
from pyusdt.report.options import Options
from pyusdt.report.order import default, idle, ordered
from pyusdt.report.sparks import sparks
from pyusdt.report.text import duration, number, plural, printable, size
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
_STEP_MEMORY = (Column("allocated", 0.5), Column("peak", 1.5), Column("RSS", 4.5))

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
        elif options.growth:
            print_growth(console, recording, options.top)
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
    has_memory = any(step.memory for step in recording.steps)
    for step in recording.steps:
        shown = duration if step.kind == "step" else number
        middle = (step.mean, step.deviation, step.min, step.percentile(0.5))
        values = (*middle, step.percentile(0.99), step.max)
        name = printable(step.name, 100) or "(nameless)"
        beside = (("mark", "dim"),) if step.kind == "mark" else ()
        series = Text(sparks(step.numbers), style="cyan")
        memory = _memory(recording, step) if has_memory else ()
        cells: list[Cell] = [number(step.count), *map(shown, values), series, *memory]
        rows.append((cells, Name(name, beside)))
    columns = (*_STEPS, *_STEP_MEMORY) if has_memory else _STEPS
    return table(columns, rows, "step or mark", width)


def _memory(recording: Recording, step: Step) -> tuple[str, str, str]:
    """What was allocated within the runs of a step on average, the most that was alive in any, and
    how much more was in RAM at the end of the last than at the start of the first."""
    known = step.memory
    if not known:
        return "", "", ""
    about = "~" * any(is_sampled(process.memory) for process in recording.processes)
    mean = sum(it.allocated_bytes for it in known) / len(known)
    peak = max((it.peak_bytes or 0 for it in known), default=0)
    more = known[-1].rss_end_bytes - known[0].rss_start_bytes
    sign = "+" if more > 0 else ""
    return about + size(mean), about + size(peak) if peak else "", sign + size(more)


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
