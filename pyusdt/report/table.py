# SPDX-License-Identifier: Apache-2.0
"""The report for the terminal: functions, the call tree, or steps; losses are listed below."""

from itertools import pairwise
from typing import BinaryIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pyusdt.recording import Function, Recording, Step
from pyusdt.recording.model import top
from pyusdt.recording.tree import Node, sort
from pyusdt.report.console import console_on, new_table
from pyusdt.report.options import Options
from pyusdt.report.text import duration, number, plural, printable, share

_TREE_LEAST = 0.005  # of the whole: what is lighter is summed up in one line
_TREE_DEEPEST = 100
_BAR = 8
_SPARKS = "▁▂▃▄▅▆▇█"


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """Write the table, in colour where `out` is a terminal."""
    with console_on(out) as console:
        console.print(_heading(recording))
        if options.steps:
            console.print(_steps(recording))
        elif options.tree:
            console.print(_tree(recording))
        else:
            functions = top(recording.functions, options.sort)
            console.print(_functions(recording, functions[: options.top]))
            _print_hidden(console, len(functions), options.top)
        _print_notes(console, recording)


def _heading(recording: Recording) -> Text:
    text = Text(printable(recording.path or "recording"), style="bold")
    elapsed = max((thread.elapsed_ns for thread in recording.threads), default=0)
    text.append(
        f"  {plural(len(recording.processes), 'process', 'processes')},"
        f" {plural(len(recording.threads), 'thread')},"
        f" {duration(elapsed)}, {duration(recording.self_ns)} in functions",
        style="dim",
    )
    return text


def _functions(recording: Recording, functions: list[Function]) -> Table:
    whole = recording.self_ns
    resumes = any(function.resumes for function in functions)
    counts = ["calls", *["resumes"] * resumes]
    table = new_table("self", "share", "total", *counts, "p50", "p99", "errors", last="function")
    for f in functions:
        table.add_row(
            duration(f.self_ns),
            _bar(f.self_ns, whole),
            duration(f.total_ns),
            number(f.calls),
            *[number(f.resumes) if f.resumes else ""] * resumes,
            duration(f.p50_ns),
            duration(f.p99_ns),
            Text(number(f.errors) if f.errors else "", style="red"),
            _name(recording, f.index),
        )
    return table


def _bar(part: int, whole: int) -> Text:
    text = Text(f"{share(part, whole):>6} ")
    eighths = round(8 * _BAR * part / whole) if whole > 0 else 0
    bar = "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]
    text.append(f"{bar[:_BAR]:<{_BAR}}", style="cyan")
    return text


def _name(recording: Recording, index: int) -> Text:
    record = recording.records[index]
    text = Text(printable(record.qualname or record.name, 100) or "(nameless)", style="bold")
    text.append(f"  {printable(record.module, 60)}", style="dim cyan")
    text.append(f"  {printable(record.file, 80)}:{record.line}", style="dim")
    text.no_wrap, text.overflow = True, "ellipsis"  # of the text: a column would narrow them all
    return text


def _tree(recording: Recording) -> Table:
    table = new_table("total", "share", "self", "calls", last="function")
    for thread in sorted(recording.threads, key=lambda t: -t.elapsed_ns):
        sort(thread.root)
        whole = sum(child.elapsed_ns for child in thread.root.children)
        label = Text(printable(recording.thread_label(thread)), style="bold magenta")
        table.add_row(duration(whole), share(whole, whole), "", "", label)
        _tree_rows(table, recording, thread.root, whole)
    return table


def _tree_rows(table: Table, recording: Recording, root: Node, whole: int) -> None:
    """Rows below `root`, by a stack of our own: (node, guides of its line, of its children's)."""
    stack = _tree_children(root, "", whole)
    while stack:
        node, guide, below = stack.pop()
        if isinstance(node, list):
            text = Text(f"{guide}… {len(node):,} more", style="dim")
            lighter = sum(n.elapsed_ns for n in node)
            table.add_row(duration(lighter), share(lighter, whole), "", "", text)
            continue
        name = Text(guide, style="dim", no_wrap=True, overflow="ellipsis")
        name.append_text(_name(recording, node.function))
        table.add_row(
            duration(node.elapsed_ns),
            share(node.elapsed_ns, whole),
            duration(node.self_ns),
            number(node.calls),
            name,
        )
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


def _steps(recording: Recording) -> Table:
    figures = ("count", "mean", "spread", "min", "p50", "p99", "max")
    table = new_table(*figures, "series", last="step or mark")
    for step in recording.steps:
        shown = duration if step.kind == "step" else number
        middle = (step.mean, step.deviation, step.min, step.percentile(0.5))
        values = (*middle, step.percentile(0.99), step.max)
        name = Text(printable(step.name) or "(nameless)", "bold", no_wrap=True)
        if step.kind == "mark":
            name.append("  mark", style="dim")
        series = Text(_sparks(step), style="cyan")
        table.add_row(number(step.count), *map(shown, values), series, name)
    return table


def _sparks(step: Step, width: int = 24) -> str:
    """The series in `width` characters at most, each the mean of its part."""
    numbers = step.numbers
    if len(numbers) < 2:
        return ""
    cells = min(width, len(numbers))
    edges = [len(numbers) * i // cells for i in range(cells + 1)]
    means = [sum(numbers[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    scale = (len(_SPARKS) - 1) / (high - low) if high > low else 0
    return "".join(_SPARKS[round((mean - low) * scale)] for mean in means)


def _print_hidden(console: Console, functions: int, shown: int | None) -> None:
    if shown is not None and functions > shown:
        console.print(Text(f"{functions - shown:,} more functions: --top {functions}", "dim"))


def _print_notes(console: Console, recording: Recording) -> None:
    for name, count in recording.losses.items():
        console.print(
            Text(f"lost: {count:,} {printable(name, 60) or '(nameless)'}", style="yellow")
        )
    running = sum(process.ended_ns is None for process in recording.processes)
    if recording.path and running:
        note = f"{plural(running, 'process', 'processes')} killed or still running:"
        console.print(Text(f"{note} the recording ends with the last flush", style="yellow"))
