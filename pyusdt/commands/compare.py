# SPDX-License-Identifier: Apache-2.0
"""`pyusdt compare A B`: what changed between recordings, as a table and as an exit code."""

import argparse
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pyusdt.commands.common import count, declare_filters, filters_of, loaded
from pyusdt.compare import Change, Comparison, FunctionChange, StepChange, compare, regressions
from pyusdt.errors import ExitCode, UsageError, UserError
from pyusdt.recording import Recording
from pyusdt.report import filters
from pyusdt.report.console import console_on, new_table
from pyusdt.report.text import duration, number, printable

_SORTS = {"self": "self_ns", "total": "total_ns", "calls": "calls"}
_VERDICTS = {1: Text("more", "red"), -1: Text("less", "green"), 0: Text("same", "dim")}


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments."""
    parser.description = (
        "Compare recording A with recording B, or several runs each: A1 A2 A3 --to B1 B2 B3. "
        "With two runs a side or more, each change is judged: more or less only where it exceeds "
        "the noise (Welch's interval, 99%), else same. Steps are judged by their iterations too."
    )
    add = parser.add_argument
    add("files", metavar="FILE", nargs="+", help="A and B, or the runs before with --to")
    add("--to", metavar="FILE", nargs="+", default=[], help="the runs after")
    add("--sort", choices=_SORTS, default="self", help="functions by the change of this")
    add("--top", type=count, default=20, metavar="N", help="so many functions (default: 20)")
    declare_filters(parser)
    add("--fail-above", type=_percent, metavar="PERCENT",
        help="exit with 1 when the whole, a function (by 1%% of the whole at least) or a step"
        " grew by more than this, and more than the noise")  # fmt: skip


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
    only, exclude = filters_of("compare", arguments)
    comparison = compare(
        [_loaded(path, only, exclude) for path in before],
        [_loaded(path, only, exclude) for path in after],
    )
    grown = []
    if arguments.fail_above is not None:
        grown = regressions(comparison, arguments.fail_above)
    with console_on(sys.stdout.buffer) as console:
        _print(console, comparison, arguments)
        for name, figure, change in grown:
            text = f"grew by {_percentage(change)}: {figure} of {printable(name)}"
            console.print(Text(text, "bold red", no_wrap=True))
    return ExitCode.FAILURE if grown else ExitCode.OK


def _loaded(path: str, only: str, exclude: str) -> Recording:
    recording = loaded(path)
    if recording.empty:
        raise UserError(f"{path}: nothing recorded")
    return filters.functions(recording, only, exclude)


def _print(console: Console, comparison: Comparison, arguments: argparse.Namespace) -> None:
    figure = _SORTS[arguments.sort]
    functions = sorted(comparison.functions, key=lambda f: -abs(getattr(f, figure).delta))
    changed = [f for f in functions if f.self_ns.delta or f.total_ns.delta or f.calls.delta]
    if comparison.functions:
        console.print(_function_table(comparison, changed[: arguments.top]))
    if len(changed) > arguments.top:
        more = f"{len(changed) - arguments.top:,} more changed: --top {len(changed)}"
        console.print(Text(more, "dim"))
    if comparison.steps:
        console.print()
        console.print(_step_table(comparison.steps))
    if comparison.whole.noise is None:
        note = "one run a side: functions are not judged; for that, A1 A2 A3 --to B1 B2 B3"
        console.print(Text(note, "dim"))


def _function_table(comparison: Comparison, functions: list[FunctionChange]) -> Table:
    table = new_table("self", "before", "after", "", "noise", "total", "calls", "", last="function")
    whole = comparison.whole
    table.add_row(*_figures(whole), "", "", _verdict(whole), Text("all functions", "bold magenta"))
    for f in functions:
        name = Text(printable(f.qualname, 100) or "(nameless)", "bold", no_wrap=True)
        name.append(f"  {printable(f.module, 60)}", style="dim cyan")
        state = Text(f.state, "yellow") if f.state else _verdict(f.self_ns)
        calls = number(int(f.calls.mean_after))
        if f.calls.delta:
            calls = f"{number(int(f.calls.mean_before))} → {calls}"
        total = _signed(f.total_ns) if f.total_ns.delta else ""
        table.add_row(*_figures(f.self_ns), total, calls, state, name)
    return table


def _step_table(steps: list[StepChange]) -> Table:
    table = new_table("mean", "before", "after", "", "noise", "count", "", last="step or mark")
    for step in steps:
        name = Text(printable(step.name, 100) or "(nameless)", "bold", no_wrap=True)
        runs = number(int(step.count.mean_after))
        if step.count.delta:
            runs = f"{number(int(step.count.mean_before))} → {runs}"
        figures = _figures(step.mean, duration if step.kind == "step" else number)
        table.add_row(*figures, runs, _verdict(step.mean), name)
    return table


def _figures(change: Change, shown: Callable[[float], str] = duration) -> tuple[Text | str, ...]:
    noise = "" if change.noise is None else f"± {shown(change.noise)}"
    before = shown(change.mean_before) if change.before else ""
    after = shown(change.mean_after) if change.after else ""
    return _signed(change, shown), before, after, _percentage(change), noise


def _signed(change: Change, shown: Callable[[float], str] = duration) -> Text:
    sign = "+" if change.delta > 0 else "-" if change.delta < 0 else " "
    style = "dim" if change.verdict == 0 else {"+": "red", "-": "green"}.get(sign, "")
    return Text(f"{sign}{shown(abs(change.delta))}", style)


def _percentage(change: Change) -> str:
    return "" if change.ratio is None else f"{100 * change.ratio:+.1f}%"


def _verdict(change: Change) -> Text:
    return _VERDICTS.get(change.verdict, Text("")) if change.verdict is not None else Text("")
