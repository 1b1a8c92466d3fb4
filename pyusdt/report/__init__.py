# SPDX-License-Identifier: Apache-2.0
"""Reports: each format is a module that writes a `Recording`, found by its name or by a suffix."""

from dataclasses import dataclass
from importlib import import_module

from pyusdt.errors import UsageError, UserError, nearest
from pyusdt.recording import Recording
from pyusdt.report.options import Options
from pyusdt.report.output import opened

__all__ = ["FORMATS", "Format", "Options", "choose", "write"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its module is `pyusdt.report.NAME`, with `write(recording, out, options)`."""

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
        Format("csv", (".csv",), "functions, or steps with --steps, for spreadsheets"),
        Format("folded", (".folded", ".collapsed"), "a stack a line, for flamegraph.pl"),
        Format("speedscope", (".speedscope.json", ".speedscope"), "for speedscope.app"),
        Format("pstats", (".pstats", ".prof"), "for pstats, snakeviz, gprof2dot", binary=True),
        Format("pprof", (".pb.gz", ".pprof"), "for go tool pprof", binary=True),
        Format("perfetto", (".perfetto.json", ".trace.json"), "for ui.perfetto.dev"),
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


def write(recording: Recording, path: str, format: Format, options: Options) -> None:  # noqa: A002
    """Write the report to `path`, "-" for standard output; a failure leaves no file.

    Raise UserError when there is nothing to show, or the file cannot be written.
    """
    if not recording.step_rows if options.steps else recording.empty:
        what = "no steps and no marks" if options.steps else "nothing"
        raise UserError(f"{recording.path or 'the recording'}: {what} recorded, or left by filters")
    with opened(path) as out:
        import_module(f"pyusdt.report.{format.name}").write(recording, out, options)
