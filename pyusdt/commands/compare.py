# SPDX-License-Identifier: Apache-2.0
"""`pyusdt compare A B`: what changed between recordings, as a table and as an exit code."""

import argparse
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from pyusdt.commands.common import (
    count,
    declare_filters,
    declare_shown_lines,
    filters_of,
    loaded,
)
from pyusdt.compare import Change, Comparison, FunctionChange, StepChange, compare, regressions
from pyusdt.compare_lines import compare_lines
from pyusdt.compare_lines import judged as judged_lines
from pyusdt.compare_memory import FIGURES, compare_memory, has_memory, memory_regressions
from pyusdt.errors import ExitCode, UsageError, UserError
from pyusdt.recording import Recording, left
from pyusdt.report import filters
from pyusdt.report.changed_lines import print_changed_lines
from pyusdt.report.changed_memory import memory_note, print_changed_memory
from pyusdt.report.changes import WAITS, cells, counts, growth, signed, verdict_of
from pyusdt.report.columns import Column, Name, Row, table
from pyusdt.report.console import console_on
from pyusdt.report.place import roots
from pyusdt.report.prepare import shown
from pyusdt.report.text import duration, number, printable

_SORTS = {"self": "self_ns", "total": "total_ns", "calls": "calls"}
_CHARGED_SORTS = {"cpu": "cpu_ns", "wait": "wait_ns", **_SORTS, "total": "total_cpu_ns"}
# The higher the rank, the sooner a column is left out. Beside a name: its module.
_FUNCTIONS = (
    Column("self"),
    Column("before", 4),
    Column("after", 3),
    Column("", 1),
    Column("noise", 7),
    Column("per call", 5),
    Column("total", 6),
    Column("calls", 8),
    Column("", 0.5, left=True),
)
_CHARGED = (
    Column("cpu"),
    *_FUNCTIONS[1:6],
    Column("wait", 4.5),
    Column("total cpu", 6),
    *_FUNCTIONS[7:],
)
_BESIDE = (2,)
_STEPS = (
    Column("mean"),
    Column("before", 3),
    Column("after", 2),
    Column("", 1),
    Column("noise", 4),
    Column("count", 5),
    Column("", 0.5, left=True),
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments."""
    parser.description = (
        "Compare recording A with recording B, or several runs each: A1 A2 A3 --to B1 B2 B3. "
        "With two runs a side or more, each change is judged: more or less only where it exceeds "
        "the noise (Welch's interval, 99%), else same. Steps are judged by their iterations too. "
        "Where all recordings know CPU times, these are judged, and waits are shown beside; else "
        "own wall times are: what waits (sleeps, waits for a lock, a socket, a process) is marked "
        "and never judged, as far as its source is here or it is the standard library's: a program "
        "that idles longer has not become slower."
    )
    add = parser.add_argument
    add("files", metavar="FILE", nargs="+", help="A and B, or the runs before with --to")
    add("--to", metavar="FILE", nargs="+", default=[], help="the runs after")
    add("--sort", choices={**_CHARGED_SORTS, **dict.fromkeys(FIGURES)},
        help="functions by the change of this (default: cpu, where all recordings know it, else"
        " self; peak with --memory)")  # fmt: skip
    add("--top", type=count, default=20, metavar="N", help="so many functions (default: 20)")
    declare_shown_lines(
        parser,
        "lines that changed, of all functions whose lines were recorded, or of these; a line is the"
        " same where its text is, wherever it stands in the function",
    )
    add(
        "--memory",
        action="store_true",
        help="memory, of recordings that all have it: bytes at the peak, allocated and alive",
    )
    declare_filters(parser)
    add("--fail-above", type=_percent, metavar="PERCENT",
        help="exit with 1 when the whole, a function (by 1%% of the whole at least), with --lines a"
        " line (likewise) or a step grew by more than this, and more than the noise; it takes two"
        " runs a side; where all have memory, its peak and what is allocated are judged likewise,"
        " from one run a side on; with --memory they alone are")  # fmt: skip
    add("--force", action="store_true", help="with --fail-above: judge one run a side too")


def _percent(text: str) -> float:
    try:
        limit = float(text.removesuffix("%")) / 100
    except ValueError:
        limit = -1
    if not 0 <= limit < float("inf"):
        raise argparse.ArgumentTypeError(f"not a percentage: {text}")
    return limit


def run(arguments: argparse.Namespace) -> int:
    """Do what `arguments` ask for."""
    before, after = arguments.files, arguments.to
    if not after:
        if len(before) != 2:
            raise UsageError("compare: give two recordings, or several: A1 A2 --to B1 B2")
        before, after = before[:1], before[1:]
    if arguments.force and arguments.fail_above is None:
        raise UsageError("compare: --force goes with --fail-above")
    if arguments.memory and arguments.lines is not None:
        raise UsageError("compare: one table at a time: --memory or --lines")
    only, exclude = filters_of("compare", arguments)
    old, new = ([_loaded(path, only, exclude) for path in side] for side in (before, after))
    if arguments.memory:
        return _memory(arguments, old, new)
    comparison = compare(old, new)
    memory = compare_memory(old, new) if has_memory([*old, *new]) else None
    sort = _sort(comparison, arguments.sort)
    comparison.functions.sort(key=lambda f: -abs(getattr(f, sort).delta))
    lines = None
    if arguments.lines is not None:
        lines = compare_lines(comparison, old, new, arguments.lines)
    grown = []
    if arguments.fail_above is not None:
        of_lines = judged_lines(lines or ())
        grown = regressions(comparison, arguments.fail_above, force=arguments.force, lines=of_lines)
        if memory:
            grown += memory_regressions(memory, arguments.fail_above, force=arguments.force)
    with console_on(sys.stdout.buffer) as console:
        if lines is None:
            _print_functions(console, comparison, arguments.top)
        else:
            print_changed_lines(console, lines, roots(new[0]), arguments.top)
        if memory:
            console.print(Text(memory_note(memory), "dim"))
        what = "functions" if lines is None else "lines"
        _print_note(console, arguments, what, judged=comparison.judged, others=bool(memory))
        _print_grown(console, grown)
    return ExitCode.FAILURE if grown else ExitCode.OK


def _memory(
    arguments: argparse.Namespace, old: Sequence[Recording], new: Sequence[Recording]
) -> int:
    if arguments.sort not in (None, *FIGURES):
        there = ", ".join(FIGURES)
        raise UsageError(f"compare: --sort {arguments.sort}: with --memory there are {there}")
    comparison = compare_memory(old, new)
    grown = []
    if arguments.fail_above is not None:
        grown = memory_regressions(comparison, arguments.fail_above, force=arguments.force)
    with console_on(sys.stdout.buffer) as console:
        print_changed_memory(console, comparison, arguments.sort or "peak", arguments.top)
        _print_note(console, arguments, "estimates", judged=comparison.judged)
        _print_grown(console, grown)
    return ExitCode.FAILURE if grown else ExitCode.OK


def _print_grown(console: Console, grown: Iterable[tuple[str, str, Change]]) -> None:
    for name, figure, change in grown:
        text = f"grew by {growth(change)}: {figure} of {printable(name)}"
        console.print(Text(text, "bold red", no_wrap=True))


def _loaded(path: str, only: str, exclude: str) -> Recording:
    left.tidy(path)
    recording = loaded(path)
    if recording.empty:
        raise UserError(f"{path}: nothing recorded")
    recording = shown(recording, split_threads=True, trees=False)
    return filters.functions(recording, only, exclude)


def _sort(comparison: Comparison, name: str | None) -> str:
    """The figure of a FunctionChange that `name` stands for. Raises UsageError."""
    sorts = _CHARGED_SORTS if comparison.by_cpu else _SORTS
    if name in FIGURES:
        raise UsageError(f"compare: --sort {name} goes with --memory")
    if name is not None and name not in sorts:
        there = ", ".join(sorts)
        raise UsageError(f"compare: --sort {name}: not all know CPU and waits; there are {there}")
    return sorts[name or ("cpu" if comparison.by_cpu else "self")]


def _print_functions(console: Console, comparison: Comparison, top: int) -> None:
    """Print the first `top` functions that changed, and the steps."""
    changed = [f for f in comparison.functions if _changed(f)]
    if comparison.functions:
        columns = _CHARGED if comparison.by_cpu else _FUNCTIONS
        rows = _function_rows(comparison, changed[:top])
        console.print(table(columns, rows, "function", console.width, _BESIDE))
    if len(changed) > top:
        more = f"{len(changed) - top:,} more changed: --top {len(changed)}"
        console.print(Text(more, "dim"))
    if comparison.steps:
        console.print()
        rows = _step_rows(comparison.steps)
        console.print(table(_STEPS, rows, "step or mark", console.width))


def _print_note(
    console: Console,
    arguments: argparse.Namespace,
    what: str,
    *,
    judged: bool,
    others: bool = False,
) -> None:
    """That `what` is not judged; `others`: but something else is."""
    if judged or arguments.force:
        return
    gate = ""
    if arguments.fail_above is not None:
        gate = f"{'' if others else ', and nothing fails'}; --force judges them"
    times = "times of " if others else ""
    note = f"one run a side: {times}{what} are not judged{gate}; for that, A1 A2 A3 --to B1 B2 B3"
    console.print(Text(note, "yellow" if gate else "dim"))


def _changed(f: FunctionChange) -> bool:
    return any(it.delta for it in (f.own, f.waited, f.total_ns, f.calls))


def _function_rows(comparison: Comparison, functions: list[FunctionChange]) -> list[Row]:
    whole, waits = comparison.whole, comparison.waits
    n_columns = len(_CHARGED if comparison.by_cpu else _FUNCTIONS)
    rows = [_sum_row(whole, verdict_of(whole), "all functions", n_columns)]
    if any(waits.before) or any(waits.after):
        if not comparison.by_cpu:
            rows[0] = _sum_row(whole, verdict_of(whole), "all functions but waits", n_columns)
        rows.append(_sum_row(waits, WAITS, "all waits", n_columns))
    for f in functions:
        name = printable(f.qualname, 100) or "(nameless)"
        beside = ((printable(f.module, 60), "dim cyan"),)
        whole = f.total_ns if f.total_cpu_ns is None else f.total_cpu_ns
        more: list[Text | str] = [growth(f.own.per(f.calls))]
        if f.wait_ns is not None:
            more.append(signed(f.wait_ns) if f.wait_ns.delta else "")
        more += [signed(whole) if whole.delta else "", counts(f.calls), _state(f)]
        rows.append(((*cells(f.own), *more), Name(name, beside)))
    return rows


def _sum_row(change: Change, verdict: Text, name: str, n_columns: int) -> Row:
    figures = cells(change)
    empty = [""] * (n_columns - len(figures) - 1)
    return (*figures, *empty, verdict), Name(name, style="bold magenta")


def _step_rows(steps: list[StepChange]) -> list[Row]:
    rows: list[Row] = []
    for step in steps:
        name = printable(step.name, 100) or "(nameless)"
        figures = cells(step.mean, duration if step.kind == "step" else number)
        rows.append(((*figures, counts(step.count), verdict_of(step.mean)), Name(name)))
    return rows


def _state(f: FunctionChange) -> Text:
    if f.waits:
        return WAITS
    return Text(f.state, "yellow") if f.state else verdict_of(f.own)
