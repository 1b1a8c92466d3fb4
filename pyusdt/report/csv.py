# SPDX-License-Identifier: Apache-2.0
"""CSV (RFC 4180, UTF-8): a row for each function, or for each run of a step. Times are ns.

A spreadsheet takes a text that begins like a formula for one, so it gets a ' before it.
"""

import csv
import io
from collections.abc import Iterable
from typing import BinaryIO

from pyusdt.recording import Recording
from pyusdt.recording.model import top
from pyusdt.report.names import whole
from pyusdt.report.options import Options

_FUNCTION = (
    "module",
    "qualname",
    "file",
    "line",
    "calls",
    "resumes",
    "errors",
    "self_ns",
    "total_ns",
    "p50_ns",
    "p90_ns",
    "p99_ns",
    "latency_p50_ns",
    "latency_p99_ns",
)
_STEP = ("name", "kind", "sequence", "start_ns", "elapsed_ns", "value", "process")


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """Write the functions, or with --steps the steps and marks in their order."""
    if options.steps:
        _write_rows(out, _STEP, _steps(recording))
    else:
        _write_rows(out, _FUNCTION, _functions(recording, options))


def _functions(recording: Recording, options: Options) -> Iterable[list[object]]:
    for f in top(recording.functions, options.sort)[: options.top]:
        figures = [f.calls, f.resumes, f.errors, f.self_ns, f.total_ns, f.p50_ns, f.p90_ns]
        figures += [f.p99_ns, f.latency(0.5), f.latency(0.99)]
        yield [f.record.module, f.record.qualname, f.record.file, f.record.line, *figures]


def _steps(recording: Recording) -> Iterable[list[object]]:
    pids = {process.id: process.pid for process in recording.processes}
    for process, rows in recording.step_rows.items():
        for row in rows:
            yield [*row, pids.get(process, process)]


def _write_rows(out: BinaryIO, heading: tuple[str, ...], rows: Iterable[list[object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(heading)
    writer.writerows([_cell(value) for value in row] for row in rows)
    out.write(text.getvalue().encode())


def _cell(value: object) -> object:
    """A text as text; numbers are as they are."""
    if not isinstance(value, str):
        return value
    risky = value.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    return "'" * risky + whole(value)
