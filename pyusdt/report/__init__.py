# SPDX-License-Identifier: Apache-2.0
"""Reports: each format is a module that writes a `Recording`, found by its name or by a suffix."""

from dataclasses import dataclass
from importlib import import_module

from pyusdt.errors import UsageError, UserError, nearest
from pyusdt.recording import Recording
from pyusdt.recording.left import copy_whole
from pyusdt.recording.records import KILLED
from pyusdt.report.growth import without_points
from pyusdt.report.options import Options
from pyusdt.report.output import opened
from pyusdt.report.prepare import shown

__all__ = [
    "FORMATS",
    "Format",
    "Options",
    "choose",
    "copy",
    "needs_trees",
    "without_lines",
    "write",
]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its module is `pyusdt.report.NAME` (- is _), with `write(recording, out, options)`.
    That of a recording has none: see `copy`."""

    name: str
    suffixes: tuple[str, ...]
    summary: str
    binary: bool = False


FORMATS = {
    f.name: f
    for f in (
        Format("table", (".txt",), "a table for the terminal"),
        Format("html", (".html", ".htm"), "one page for a browser: flame graph, table, source"),
        Format("json", (".json",), "everything, for programs"),
        Format("csv", (".csv",), "functions, --steps or --lines, for spreadsheets"),
        Format("folded", (".folded", ".collapsed"), "a stack a line, for flamegraph.pl"),
        Format("speedscope", (".speedscope.json", ".speedscope"), "for speedscope.app"),
        Format("pstats", (".pstats", ".prof"), "for pstats, snakeviz, gprof2dot", binary=True),
        Format("pprof", (".pb.gz", ".pprof"), "for go tool pprof", binary=True),
        Format("lprof-text", (".lprof.txt",), "lines, as line_profiler prints them"),
        Format(
            "perfetto",
            (".perfetto.json", ".trace.json"),
            "for ui.perfetto.dev, see below",
        ),
        Format("recording", (".pyusdt",), "all of it as one file, to copy it", binary=True),
    )
}


def choose(name: str | None, path: str) -> Format:
    """The format of that name, else that of the suffix of `path` ("-" gives the table)."""
    if name is not None:
        return FORMATS[name]
    if path == "-":
        return FORMATS["table"]
    suffixes = {suffix: f for f in FORMATS.values() for suffix in f.suffixes}
    for suffix in sorted(suffixes, key=len, reverse=True):
        if path.lower().endswith(suffix):
            return suffixes[suffix]
    _, dot, end = path.rpartition(".")
    known = ", ".join(f.suffixes[0] for f in FORMATS.values())
    raise UsageError(
        f"{path}: its suffix names no format (known: {known}; or give --format)"
        f"{nearest(dot + end, suffixes)}"
    )


def needs_trees(format: Format, options: Options) -> bool:  # noqa: A002
    """Whether the report shows contexts: functions are known without them."""
    if format.name in ("table", "csv", "lprof-text"):
        trees = options.tree or options.waits or options.leaks
        return format.name == "table" and trees and not options.steps
    return True


def _why_empty(recording: Recording) -> str:
    unwritten = [p for p in recording.processes if p.ended_ns is None]
    if not unwritten or not recording.empty:
        return "recorded, or left by filters"
    pids = ", ".join(str(process.pid) for process in unwritten[:3])
    dead = all(process.reason == KILLED for process in unwritten)
    return (
        f"recorded: process {pids} was killed before it was written"
        f"{'' if dead else ', or still runs'}; --flush SECONDS writes it meanwhile"
    )


def without_lines(recording: Recording) -> UserError:
    """That it has no lines, why, and how to record them."""
    hint = "" if recording.empty else "; python -m pyusdt -o FILE --lines PATTERNS records them"
    why = _why_empty(recording)
    return UserError(f"{recording.path or 'the recording'}: no lines {why}{hint}")


def copy(recording: str, path: str) -> None:
    """Write all that the recording at that path has to one file at `path`. Raises UserError."""
    with opened(path) as out:
        copy_whole(recording, out)


def write(recording: Recording, path: str, format: Format, options: Options) -> None:  # noqa: A002
    """Write the report to `path`, "-" for standard output; a failure leaves no file.

    The trees of `recording` may be changed by it: see prepare.py. Raise UserError when there is
    nothing to show, or the file cannot be written.
    """
    if not recording.step_rows if options.steps else recording.empty:
        what = "no steps and no marks" if options.steps else "nothing"
        raise UserError(f"{recording.path or 'the recording'}: {what} {_why_empty(recording)}")
    if options.growth and not recording.aged.points:
        raise without_points(recording)
    if not recording.lines and (options.lines is not None or format.name == "lprof-text"):
        raise without_lines(recording)
    trees = needs_trees(format, options)
    prepared = shown(recording, split_threads=options.threads, trees=trees)
    with opened(path) as out:
        module = import_module(f"pyusdt.report.{format.name.replace('-', '_')}")
        module.write(prepared, out, options)
