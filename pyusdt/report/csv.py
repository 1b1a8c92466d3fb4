# SPDX-License-Identifier: Apache-2.0
"""CSV (RFC 4180, UTF-8): a row for each function, line, or run of a step. Times are ns.

A spreadsheet takes a text that begins like a formula for one, so it gets a ' before it.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import BinaryIO

from pyusdt.recording import Function, Recording
from pyusdt.recording.charges import WAITS
from pyusdt.recording.held import by_line
from pyusdt.recording.memory import StepMemory
from pyusdt.report.amounts import by_name
from pyusdt.report.lines import lined_functions
from pyusdt.report.names import whole
from pyusdt.report.options import Options
from pyusdt.report.order import ordered

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
_LINE = ("file", "line", "module", "qualname", "hits", "errors", "total_ns", "self_ns")
_STEP = ("name", "kind", "sequence", "start_ns", "elapsed_ns", "value", "process")
_STEP_MEMORY = StepMemory._fields


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """Write the functions, or their lines, or the steps and marks in their order."""
    if options.steps:
        memory = _STEP_MEMORY if "memory" in recording.known else ()
        _write_rows(out, (*_STEP, *memory), _steps(recording, memory))
    elif options.lines is not None:
        known = ("cpu_ns", "wait_ns") if "cpu" in recording.known else ()
        held = _memory_columns(recording)
        _write_rows(out, (*_LINE, *known, *held, "source"), _lines(recording, options, known, held))
    else:
        further = _further(recording)
        _write_rows(out, (*_FUNCTION, *further), _functions(recording, options, further))


def _functions(
    recording: Recording,
    options: Options,
    further: Mapping[str, Callable[[Function], object]],
) -> Iterable[list[object]]:
    for f in ordered(recording, options.sort)[: options.top]:
        figures = [f.calls, f.resumes, f.errors, f.self_ns, f.total_ns, f.p50_ns, f.p90_ns]
        figures += [f.p99_ns, f.latency(0.5), f.latency(0.99)]
        more = (figure(f) for figure in further.values())
        yield [f.record.module, f.record.qualname, f.record.file, f.record.line, *figures, *more]


def _lines(
    recording: Recording, options: Options, known: tuple[str, ...], held: tuple[str, ...]
) -> Iterable[list[object]]:
    """The lines of functions in the order of these; times of a recording with sampled times are not
    known."""
    sampled = recording.times == "sampled"
    memory = by_line(recording.memory)
    for f in lined_functions(recording, options.lines or "", options.sort)[: options.top]:
        name = f.record.module, f.record.qualname
        for line in f.lines:
            times = (None, None) if sampled else (line.total_ns, line.self_ns)
            charged = (getattr(line.charges, measure) for measure in known)
            of_line = by_name(memory.get((f.index, line.line)))
            figures = line.hits, line.errors, *times, *charged, *map(of_line.__getitem__, held)
            yield [f.record.file, line.line, *name, *figures, f.text(line.line).strip()]


def _memory_columns(recording: Recording) -> tuple[str, ...]:
    return tuple(by_name(None)) if "memory" in recording.known else ()


def _memory(name: str, f: Function) -> int:
    return by_name(f.memory)[name]


def _further(recording: Recording) -> dict[str, Callable[[Function], object]]:
    """Columns of what only some recordings know. Waits are the sampler's, `kernel_` the kernel's;
    looks are what the figures of the sampler rest on."""
    columns: dict[str, Callable[[Function], object]] = {}
    if "cpu" in recording.known:
        names = ("cpu_ns", "user_ns", "system_ns", "wait_ns", "total_cpu_ns", "total_wait_ns")
        columns |= {name: attrgetter(name) for name in names}
        columns |= {f"{wait}_ns": partial(_of, wait) for wait in WAITS}
        columns |= {f"{kind}_looks": partial(_looks, kind) for kind in ("cpu", "wait")}
    columns |= {name: partial(_memory, name) for name in _memory_columns(recording)}
    if "native" in recording.known:
        columns["native_ns"] = attrgetter("native_ns")
    if "kernel" in recording.known:
        columns["kernel_wait_ns"] = lambda f: sum(f.kernel_waits.values())
        columns["syscalls"] = lambda f: sum(call["count"] for call in f.syscalls.values())
    return columns


def _of(kind: str, f: Function) -> int | None:
    return f.charges.of(kind) if f.charges is not None else None


def _looks(kind: str, f: Function) -> int | None:
    return f.charges.looks(kind) if f.charges is not None else None


def _steps(recording: Recording, known: tuple[str, ...]) -> Iterable[list[object]]:
    pids = {process.id: process.pid for process in recording.processes}
    for process, rows in recording.step_rows.items():
        for row in rows:
            memory = row.memory or (None,) * len(known)
            yield [*row[:6], pids.get(process, process), *memory[: len(known)]]


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
