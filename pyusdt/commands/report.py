# SPDX-License-Identifier: Apache-2.0
"""`pyusdt report FILE`: a recording as a table, a page, or a file for another tool."""

import argparse
import os
import sys
from contextlib import suppress

from pyusdt import report
from pyusdt.commands.common import (
    count,
    declare_filters,
    declare_shown_lines,
    filters_of,
    loaded,
)
from pyusdt.errors import ExitCode, UsageError, print_line, shell_word
from pyusdt.recording import left
from pyusdt.report import filters, order, weights

_CHOOSING = (
    "only",
    "exclude",
    "process",
    "thread",
    "threads",
    "tree",
    "waits",
    "modules",
    "lines",
    "full",
    "memory",
    "leaks",
    "steps",
    "growth",
    "sort",
    "top",
    "weight",
)

_TABLES = ("tree", "waits", "modules", "lines", "steps", "growth", "memory", "leaks")
_TOGETHER = ({"tree", "steps"}, {"memory", "tree"}, {"memory", "lines"}, {"memory", "leaks"})
_TERMINAL = ("waits", "modules", "growth", "memory", "leaks")
_WITH_LINES = ("table", "csv", "json", "lprof-text")

_LIMITS = """\
--sort: self (or wall), total, calls, errors, p50, p99, name; where a sampler
ran, cpu, user, system, wait, and kinds of wait: gil, lock, sleep, poll, net,
disk, child, runnable, other; where C calls were recorded, native; where
memory was (with --memory in the terminal): peak, allocated, live, temporary,
blocks, biggest.

folded, speedscope, pprof, perfetto: what is below 1,000 frames of a stack
(perfetto: 250) is one frame, (deeper), with all its time and calls; folded and
pprof have fewer frames where the stacks together would be over 100 MB.

perfetto: totals laid end to end. A recording knows how long calls took and not
when, so a calling context is drawn once, as long as all its calls. Steps and
marks are where they were."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments."""
    parser.description = "Show what a recording (pyusdt -o FILE program) holds."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "formats, and the suffixes of -o that choose them:\n" + "\n".join(
        f"  {f.name:<12}{f.summary} ({', '.join(f.suffixes)})" for f in report.FORMATS.values()
    )
    parser.epilog += "\n\n" + _LIMITS
    add = parser.add_argument
    add("file", metavar="FILE", help="the recording")
    add("-o", "--output", metavar="OUT", default="-", help="write there; - is standard output")
    add("-f", "--format", choices=report.FORMATS, metavar="FORMAT", help="one of those below")
    add("--tree", action="store_true", help="the call tree of each thread")
    add("--modules", action="store_true", help="functions summed up by module")
    add("--steps", action="store_true", help="steps and marks")
    add(
        "--growth",
        action="store_true",
        help="what grows from one step of a name to the next (--memory), where that is certain",
    )
    declare_shown_lines(
        parser,
        "source with what each line took, of all functions whose lines were recorded, or of"
        " these; in the terminal without what takes less than 1%%: see --full",
    )
    add("--full", action="store_true", help="with --lines: all lines of these functions")
    add(
        "--memory",
        action="store_true",
        help="what functions have allocated and held: at the process's peak, at all, alive at the"
        " end; with --tree contexts with all below them, with --lines the lines",
    )
    add("--leaks", action="store_true", help="what is alive at the end: context, line, bytes")
    add("--waits", action="store_true", help="who waits for what, and system calls (--kernel)")
    add(
        "--sort",
        choices=order.SORTS,
        metavar="FIGURE",
        help="functions by this, the most first, see below (default: cpu, or self without it; peak"
        " with --memory)",
    )
    add("--top", type=count, metavar="N", help="so many functions (default: 30 in the table)")
    declare_filters(parser)
    add(
        "--thread",
        metavar="NAME",
        help="threads of this name (a glob) or tid; percentiles and lines stay the process's",
    )
    add("--threads", action="store_true", help="each thread, not those of one name as one")
    add(
        "--weight",
        metavar="FIGURE",
        help="what a folded stack weighs: wall (default), cpu, wait, wait:lock and so on; in bytes"
        " or blocks peak, allocated, live, temporary, peak:blocks and so on",
    )
    add("--process", metavar="PID", help="the process of this pid, or command (a glob)")
    add(
        "--no-source",
        action="store_true",
        help="a page without source: else it has lines of the files that the recording names and"
        " that are yours or root's, and lists these",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what `arguments` ask for."""
    path = arguments.output
    chosen = report.choose(arguments.format, path)
    _refuse_same_file(arguments.file, path)
    if chosen.binary and path == "-" and sys.stdout.isatty():
        raise UsageError(f"report: {chosen.name} is binary: give -o FILE{chosen.suffixes[0]}")
    _refuse_lines(arguments, chosen.name)
    top = arguments.top or (30 if chosen.name == "table" else None)
    if chosen.name == "recording":
        return _copy(arguments)
    if arguments.weight and chosen.name != "folded":
        raise UsageError("report: --weight goes with the format folded")
    _refuse_several(arguments, chosen.name)
    only, exclude = filters_of("report", arguments)
    left.tidy(arguments.file)
    recording = loaded(arguments.file)
    if arguments.process:
        recording = filters.process(recording, arguments.process)
    if arguments.thread:
        recording = filters.thread(recording, arguments.thread)
    recording = filters.functions(recording, only, exclude)
    options = report.Options(
        sort=order.chosen(recording, arguments.sort),
        memory=arguments.memory,
        leaks=arguments.leaks,
        top=top,
        waits=arguments.waits,
        modules=arguments.modules,
        lines=arguments.lines,
        full=arguments.full,
        weight=weights.chosen(recording, arguments.weight),
        tree=arguments.tree,
        steps=arguments.steps,
        growth=arguments.growth,
        threads=arguments.threads,
        source=not arguments.no_source,
    )
    report.write(recording, path, chosen, options)
    if path != "-":
        print(f"{path}: {chosen.summary}")
    _note_parts(arguments.file)
    return ExitCode.OK


def _refuse_same_file(path: str, out: str) -> None:
    """Raise UsageError where the report would take the recording's place."""
    with suppress(OSError):
        if out != "-" and os.path.samefile(path, out):
            raise UsageError(f"report: '-o {out}' is the recording itself: choose another name")


def _refuse_lines(arguments: argparse.Namespace, chosen: str) -> None:
    """Raise UsageError for lines in a format that has none."""
    if arguments.full and (arguments.lines is None or chosen != "table"):
        raise UsageError("report: --full goes with --lines, in the terminal (-f table)")
    if arguments.lines is not None and chosen not in (*_WITH_LINES, "recording"):
        raise UsageError(f"report: --lines goes with {', '.join(_WITH_LINES)}, not with {chosen}")


def _refuse_several(arguments: argparse.Namespace, chosen: str) -> None:
    """Raise UsageError for tables that go with nothing else."""
    asked = [name for name in _TABLES if _is_given(arguments, name)]
    if len(asked) > 1 and not any(tables.issuperset(asked) for tables in _TOGETHER):
        raise UsageError(f"report: one table at a time: {' or '.join(f'--{it}' for it in asked)}")
    for name in asked if chosen != "table" else ():
        if name in _TERMINAL:
            raise UsageError(f"report: --{name} is for the terminal (-f table), not for {chosen}")
    _refuse_sort(arguments, chosen)


def _refuse_sort(arguments: argparse.Namespace, chosen: str) -> None:
    """Raise UsageError for a figure that the table has not."""
    by, there = arguments.sort, ", ".join(order.MEMORY)
    if by is None or chosen != "table":
        return
    if arguments.leaks:
        raise UsageError("report: --leaks are sorted by what is live: leave out --sort")
    if arguments.memory and by not in order.MEMORY:
        raise UsageError(f"report: --sort {by} does not go with --memory; there are {there}")
    if by in order.MEMORY and not arguments.memory:
        raise UsageError(f"report: --sort {by} goes with --memory, in the terminal")


def _is_given(arguments: argparse.Namespace, option: str) -> bool:
    return getattr(arguments, option) not in (None, False)  # "" are the lines of all functions


def _copy(arguments: argparse.Namespace) -> int:
    """One file of all."""
    for option in _CHOOSING:
        if _is_given(arguments, option):
            raise UsageError(f"report: a recording is copied whole: leave out --{option}")
    report.copy(arguments.file, arguments.output)
    if arguments.output != "-":
        print(f"{arguments.output}: {report.FORMATS['recording'].summary}")
    return ExitCode.OK


def _note_parts(path: str) -> None:
    """Say on stderr that the file alone is not all."""
    size, name = left.beside(path)
    if size > left.MOST_BYTES:
        print_line(
            f"{path}: {size / 1e6:.1f} MB of it are in {name} beside it; "
            f"for one file: pyusdt report {shell_word(path)} -o COPY.pyusdt"
        )
