# SPDX-License-Identifier: Apache-2.0
"""The report for the terminal: functions, the call tree, or steps; losses are listed below."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import compress, pairwise
from math import inf
from typing import BinaryIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pyusdt.recording import Function, Recording, Step
from pyusdt.recording.model import top
from pyusdt.recording.tree import Node, sort
from pyusdt.report import killed, missing
from pyusdt.report.columns import Cell, Column, Name, Row, table
from pyusdt.report.console import console_on
from pyusdt.report.losses import lines
from pyusdt.report.options import Options
from pyusdt.report.place import place
from pyusdt.report.prepare import OTHERS
from pyusdt.report.text import duration, number, plural, printable, share

# The higher the rank, the sooner a column is left out. Beside a name: its module, its place.
_FUNCTIONS = (
    Column("self", 1),
    Column("share", 8),
    Column("", 12, left=True),
    Column("total", 2),
    Column("calls", 3),
    Column("resumes", 10),
    Column("p50", 7),
    Column("p99", 6),
    Column("latency p50", 8.5),
    Column("latency p99", 8),
    Column("errors", 9),
)
_LATENCIES = {"latency p50", "latency p99"}
_TREE = (Column("total"), Column("share", 4), Column("self", 3), Column("calls", 2))
_BESIDE = (5, 11)
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

_TREE_LEAST = 0.005  # of the whole: what is lighter is summed up in one line
_TREE_DEEPEST = 100
_TREE_THREADS = 100
_BAR = 8
_SPARKS = "▁▂▃▄▅▆▇█"


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """Write the table, in colour where `out` is a terminal."""
    with console_on(out) as console:
        console.print(_heading(recording))
        if options.steps:
            console.print(_steps(recording, console.width))
        elif options.tree:
            console.print(_tree(recording, console.width))
        else:
            functions = top(recording.functions, options.sort)
            console.print(
                _functions(recording, functions[: options.top], options.sort, console.width)
            )
            _print_hidden(console, len(functions), options.top)
        _print_notes(console, recording)


def _heading(recording: Recording) -> Text:
    text = Text(printable(recording.path or "recording"), style="bold")
    elapsed = max((thread.elapsed_ns for thread in recording.threads), default=0)
    text.append(
        f"  {plural(len(recording.processes), 'process', 'processes')},"
        f" {plural(sum(thread.count for thread in recording.threads), 'thread')},"
        f" {duration(elapsed)}, {duration(recording.self_ns)} in functions",
        style="dim",
    )
    return text


def _functions(recording: Recording, functions: list[Function], sort: str, width: int) -> Table:
    whole = recording.self_ns
    absent = set()
    if not any(f.resumes for f in functions):
        absent.add("resumes")
    if not any(f.latencies for f in functions):
        absent |= _LATENCIES
    sorted_by = sort.removesuffix("_ns")
    kept = [column.heading not in absent for column in _FUNCTIONS]
    columns = [
        replace(column, rank=0) if column.heading == sorted_by else column
        for column in compress(_FUNCTIONS, kept)
    ]
    rows = [
        (tuple(compress(_figures(f, whole), kept)), _name(recording, f.index)) for f in functions
    ]
    return table(columns, rows, "function", width, _BESIDE)


def _figures(f: Function, whole: int) -> tuple[Cell, ...]:
    return (
        duration(f.self_ns),
        share(f.self_ns, whole),
        _bar(f.self_ns, whole),
        duration(f.total_ns),
        number(f.calls),
        number(f.resumes) if f.resumes else "",
        duration(f.p50_ns),
        duration(f.p99_ns),
        duration(f.latency(0.5)),
        duration(f.latency(0.99)),
        Text(number(f.errors) if f.errors else "", style="red"),
    )


def _bar(part: int, whole: int) -> Text:
    eighths = round(8 * _BAR * part / whole) if whole > 0 else 0
    bar = "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]
    return Text(bar[:_BAR].strip(), style="cyan")


def _name(recording: Recording, index: int, guide: str = "") -> Name:
    record = recording.records[index]
    text = printable(record.qualname or record.name, 100) or "(nameless)"
    where = "" if record == OTHERS else place(record)
    beside = (printable(record.module, 60), "dim cyan"), (where, "dim")
    return Name(text, beside, guide)


def _tree(recording: Recording, width: int) -> Table:
    rows: list[Row] = []
    threads = sorted(recording.threads, key=lambda t: -t.elapsed_ns)
    for thread in threads[:_TREE_THREADS]:
        sort(thread.root)
        whole = sum(child.elapsed_ns for child in thread.root.children)
        label = Name(printable(recording.thread_label(thread)), style="bold magenta")
        rows.append(((duration(whole), share(whole, whole), "", ""), label))
        rows += _tree_rows(recording, thread.root, whole)
    if hidden := threads[_TREE_THREADS:]:
        name = Name(f"… {plural(len(hidden), 'more thread')}: --thread NAME", style="dim")
        rows.append(((duration(sum(t.elapsed_ns for t in hidden)), "", "", ""), name))
    return table(_TREE, rows, "function", width, _BESIDE)


def _tree_rows(recording: Recording, root: Node, whole: int) -> Iterator[Row]:
    """Rows below `root`, by a stack of our own: (node, guides of its line, of its children's)."""
    stack = _tree_children(root, "", whole)
    while stack:
        node, guide, below = stack.pop()
        if isinstance(node, list):
            rest = Name(f"… {len(node):,} more", guide=guide, style="dim")
            lighter = sum(n.elapsed_ns for n in node)
            yield (duration(lighter), share(lighter, whole), "", ""), rest
            continue
        elapsed, own = duration(node.elapsed_ns), duration(node.self_ns)
        figures = elapsed, share(node.elapsed_ns, whole), own, number(node.calls)
        yield figures, _name(recording, node.function, guide)
        stack += _tree_children(node, below, whole)


def _tree_children(node: Node, indent: str, whole: int) -> list[tuple[Node | list[Node], str, str]]:
    """What comes below `node`, the last line first."""
    deep = len(indent) >= 2 * _TREE_DEEPEST
    shown = [n for n in node.children if n.elapsed_ns >= whole * _TREE_LEAST and not deep]
    rows: list[Node | list[Node]] = [*shown]
    if len(shown) < len(node.children):
        rows.append(node.children[len(shown) :])
    lines = [(row, indent + "├─", indent + "│ ") for row in rows[:-1]]
    lines += [(row, indent + "└─", indent + "  ") for row in rows[-1:]]
    return lines[::-1]


def _steps(recording: Recording, width: int) -> Table:
    rows: list[Row] = []
    for step in recording.steps:
        shown = duration if step.kind == "step" else number
        middle = (step.mean, step.deviation, step.min, step.percentile(0.5))
        values = (*middle, step.percentile(0.99), step.max)
        name = printable(step.name, 100) or "(nameless)"
        beside = (("mark", "dim"),) if step.kind == "mark" else ()
        series = Text(_sparks(step), style="cyan")
        rows.append(((number(step.count), *map(shown, values), series), Name(name, beside)))
    return table(_STEPS, rows, "step or mark", width)


def _sparks(step: Step, width: int = 24) -> str:
    """The series in `width` characters at most, each the mean of its part."""
    numbers = step.numbers
    if len(numbers) < 2:
        return ""
    cells = min(width, len(numbers))
    edges = [len(numbers) * i // cells for i in range(cells + 1)]
    means = [sum(numbers[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    span = high - low
    if not 0 < span < inf:
        return _SPARKS[0] * cells
    return "".join(_SPARKS[round((mean - low) / span * (len(_SPARKS) - 1))] for mean in means)


def _print_hidden(console: Console, functions: int, shown: int | None) -> None:
    if shown is not None and functions > shown:
        console.print(Text(f"{functions - shown:,} more functions: --top {functions}", "dim"))


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
