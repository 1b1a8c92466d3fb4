# SPDX-License-Identifier: Apache-2.0
"""`pyusdt report FILE`: a recording as a table, a page, or a file for another tool."""

import argparse
import sys

from pyusdt import report
from pyusdt.commands.common import count, declare_filters, filters_of, loaded
from pyusdt.errors import ExitCode, UsageError
from pyusdt.report import filters

_SORTS = {
    "self": "self_ns",
    "total": "total_ns",
    "calls": "calls",
    "errors": "errors",
    "p50": "p50_ns",
    "p99": "p99_ns",
    "name": "name",
}


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments."""
    parser.description = "Show what a recording (python -m pyusdt -o FILE program) holds."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "formats, and the suffixes of -o that choose them:\n" + "\n".join(
        f"  {f.name:<12}{f.summary} ({', '.join(f.suffixes)})" for f in report.FORMATS.values()
    )
    add = parser.add_argument
    add("file", metavar="FILE", help="the recording")
    add("-o", "--output", metavar="OUT", default="-", help="write there; - is standard output")
    add("-f", "--format", choices=report.FORMATS, metavar="FORMAT", help="one of those below")
    add("--tree", action="store_true", help="the call tree of each thread")
    add("--steps", action="store_true", help="steps and marks")
    add("--sort", choices=_SORTS, default="self", help="functions by this, the most first")
    add("--top", type=count, metavar="N", help="so many functions (default: 30 in the table)")
    declare_filters(parser)
    add(
        "--thread",
        metavar="NAME",
        help="threads of this name (a glob) or tid; percentiles stay the process's",
    )
    add("--process", metavar="PID", help="the process of this pid, or command (a glob)")


def run(arguments: argparse.Namespace) -> int:
    """Do what `arguments` ask for."""
    path = arguments.output
    chosen = report.choose(arguments.format, path)
    if chosen.binary and path == "-" and sys.stdout.isatty():
        raise UsageError(f"report: {chosen.name} is binary: give -o FILE{chosen.suffixes[0]}")
    top = arguments.top or (30 if chosen.name == "table" else None)
    only, exclude = filters_of("report", arguments)
    recording = loaded(arguments.file)
    if arguments.process:
        recording = filters.process(recording, arguments.process)
    if arguments.thread:
        recording = filters.thread(recording, arguments.thread)
    recording = filters.functions(recording, only, exclude)
    options = report.Options(_SORTS[arguments.sort], top, arguments.tree, arguments.steps)
    report.write(recording, path, chosen, options)
    if path != "-":
        print(f"{path}: {chosen.summary}")
    return ExitCode.OK
