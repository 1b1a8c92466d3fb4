# SPDX-License-Identifier: Apache-2.0
"""JSON with everything that a recording holds. Times are ns; see `FORMAT` for its version.

`functions[].index` is what `threads[].nodes`, callers and callees refer to. The nodes of a thread
are columns of equal length; `parent` is a place in the same columns, -1 at the top. `count` is how
many threads of one name are shown as one; its `elapsed_ns` is then that of the longest. A
`histogram` maps durations to calls: the shortest and the longest exactly, the others within 1.1 %.
Where a sampler ran (`processes[].sampled`), functions have `cpu_ns`, `user_ns`, `system_ns`,
`waits` (ns by class) and how many `samples` these rest on, of their own, and `total_cpu_ns` and
`total_waits` with all that they called; nodes have `cpu_ns` and `wait_ns`, and threads `cpu_ns` and
`waits`. With C calls recorded, Python functions have `native_ns`, the time in C functions that they
called. With the kernel's account (`processes[].kernel`), functions have `syscalls` (by name: count,
ns, errors) and `kernel_waits` (ns without a CPU, by reason), and `kernel` is the account of all.
Where lines were recorded, `lines` has a row for each: `function` is the `index` of one, times are
as those of functions. Where memory was recorded (`processes[].memory`), functions, nodes and lines
have what they allocated of their own: `allocated_bytes`, `live_bytes` (not freed by the end),
`peak_bytes` (of what was alive when the process had the most), `temporary_bytes` (freed by the call
that had allocated it), the `_blocks` of each, and the `biggest_block`. A line also has what
functions in C allocated that it called. `memory` has the sum of all, that of threads `outside` of
functions and of `native` threads, and whether figures are estimates from samples.
`processes[].resident` has what was in RAM over time, in columns. What is not known is absent.

With memory, steps have `memory`, a row for each of the series, and `growth` is what grows from one
step of a name to the next, in bytes alive: `bytes_per_step` within `low` and `high` (99 %), whether
it certainly `grows`, and the `points`, which are pairs of the number of the step and bytes.

`latency_ns` is of generators and coroutines that were suspended, from the first entry to the end;
null: there is none.
"""

from dataclasses import asdict
from math import isfinite
from typing import Any, BinaryIO

from pyusdt.memory import is_sampled
from pyusdt.recording import Charges, Function, Recording, Step, Thread
from pyusdt.recording.held import NATIVE, OUTSIDE, by_line
from pyusdt.recording.kernel import KernelFigures
from pyusdt.recording.lines import Line
from pyusdt.recording.lived import Growth
from pyusdt.recording.memory import ResidentRow
from pyusdt.recording.tree import Node, paths
from pyusdt.report import killed, missing
from pyusdt.report.amounts import by_name
from pyusdt.report.lines import lines_by_function
from pyusdt.report.names import json_text
from pyusdt.report.options import Options
from pyusdt.report.order import ordered

FORMAT = 5


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """Write one JSON object; `sort` and `top` apply to its functions."""
    functions = ordered(recording, options.sort)[: options.top]
    document = {
        "pyusdt": FORMAT,
        "processes": [
            asdict(process) | _resident(recording.resident.get(process.id, []))
            for process in recording.processes
        ],
        "functions": [_function(function) for function in functions],
        "threads": [
            {
                "process": thread.process,
                "tid": thread.tid,
                "name": thread.name,
                "count": thread.count,
                "elapsed_ns": thread.elapsed_ns,
                **_of_thread(thread),
                "nodes": columns(
                    thread.root, thread.charges is not None, "memory" in recording.known
                ),
            }
            for thread in recording.threads
        ],
        "steps": [_step(step) for step in recording.steps],
        "losses": recording.losses,
        "missing": dict(missing.programs(recording)),
        "killed": [it._asdict() for it in killed.processes(recording)],
    }
    if "kernel" in recording.known:
        document["kernel"] = {
            kind: {name: _of_kernel(figures) for name, figures in names.items()}
            for kind, names in recording.kernel_totals.items()
        }
    if recording.aged.points:
        document["growth"] = [_growth(it) for it in recording.growth]
    if "memory" in recording.known:
        document["memory"] = _memory_of_all(recording)
    if recording.lines:
        document["lines"] = _lines(recording, options, {f.index for f in functions})
    out.write(json_text(document).encode())
    out.write(b"\n")


def _lines(recording: Recording, options: Options, indexes: set[int]) -> list[dict[str, Any]]:
    """Those of these functions."""
    found = lines_by_function(recording, options.lines or "", options.sort)
    held = by_line(recording.memory)
    return [
        _line(recording, index, line)
        | (by_name(held.get((index, line.line))) if "memory" in recording.known else {})
        for index, lines in found.items()
        if index in indexes
        for line in lines
    ]


def _line(recording: Recording, index: int, line: Line) -> dict[str, Any]:
    known: dict[str, Any] = {}
    if recording.times != "sampled":
        known = {"total_ns": line.total_ns, "self_ns": line.self_ns}
    if "cpu" in recording.known:
        charges = line.charges
        known |= {"cpu_ns": charges.cpu_ns, "waits": charges.waits, "samples": charges.samples}
    return {
        "file": line.record.file,
        "line": line.line,
        "function": index,
        "hits": line.hits,
        "errors": line.errors,
        **known,
    }


def _memory_of_all(recording: Recording) -> dict[str, Any]:
    by_function = recording.memory_by_function
    return {
        "sampled": any(is_sampled(process.memory) for process in recording.processes),
        **by_name(recording.memory_totals),
        "outside": by_name(by_function.get(OUTSIDE)),
        "native": by_name(by_function.get(NATIVE)),
    }


def _resident(rows: list[ResidentRow]) -> dict[str, Any]:
    if not rows:
        return {}
    return {"resident": dict(zip(ResidentRow._fields, zip(*rows, strict=True), strict=True))}


def columns(root: Node, charged: bool = False, held: bool = False) -> dict[str, list[int]]:
    """The nodes below `root` by column, callers before callees."""
    names = ["parent", "function", "calls", "resumes", "errors", "elapsed_ns", "self_ns"]
    names += ["cpu_ns", "wait_ns"] * charged
    names += [*by_name(None)] * held
    values: list[list[int]] = [[] for _ in names]
    path = [-1]
    for node, entering in paths(root):
        if not entering:
            path.pop()
            continue
        own = _cpu_and_wait(node.charges) if charged else ()
        more = by_name(node.memory).values() if held else ()
        row = path[-1], node.function, *node.counts, *own, *more
        for column, value in zip(values, row, strict=True):
            column.append(value)
        path.append(len(values[0]) - 1)
    return dict(zip(names, values, strict=True))


def _cpu_and_wait(charges: Charges | None) -> tuple[int, int]:
    return (charges.cpu_ns, charges.wait_ns) if charges else (0, 0)


def _of_thread(thread: Thread) -> dict[str, Any]:
    if thread.charges is None:
        return {}
    return {"cpu_ns": thread.charges.cpu_ns, "waits": thread.charges.waits}


def _of_kernel(figures: KernelFigures) -> dict[str, int]:
    return dict(zip(("count", "ns", "bytes", "errors"), figures, strict=True))


def _where_it_went(function: Function) -> dict[str, Any]:
    """What is known of the function beyond calls and wall times."""
    known: dict[str, Any] = {}
    if function.charges is not None:
        known |= {
            "cpu_ns": function.cpu_ns,
            "user_ns": function.user_ns,
            "system_ns": function.system_ns,
            "waits": function.waits,
            "samples": function.samples,
            "total_cpu_ns": function.total_cpu_ns,
            "total_waits": function.total_waits,
        }
    if function.native_ns is not None:
        known["native_ns"] = function.native_ns
    if function.memory is not None:
        known |= by_name(function.memory)
    if function.kernel:
        known |= {"syscalls": function.syscalls, "kernel_waits": function.kernel_waits}
    return known


def _function(function: Function) -> dict[str, Any]:
    return {
        "index": function.index,
        **function.record._asdict(),
        "calls": function.calls,
        "primitive_calls": function.primitive_calls,
        "resumes": function.resumes,
        "errors": function.errors,
        "self_ns": function.self_ns,
        "total_ns": function.total_ns,
        "min_ns": function.min_ns,
        "p50_ns": function.p50_ns,
        "p90_ns": function.p90_ns,
        "p99_ns": function.p99_ns,
        "max_ns": function.max_ns,
        **_where_it_went(function),
        "histogram": {str(ns): n for ns, n in sorted(function.histogram.items())},
        "latency_ns": _latency(function),
        "callers": {str(index): asdict(edge) for index, edge in function.callers.items()},
        "callees": {str(index): asdict(edge) for index, edge in function.callees.items()},
    }


def _latency(function: Function) -> dict[str, Any] | None:
    if not function.latencies:
        return None
    shares = {"min": 0.0, "p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {
        "count": function.latencies.total(),
        **{name: function.latency(share) for name, share in shares.items()},
        "histogram": {str(ns): n for ns, n in sorted(function.latencies.items())},
    }


def _step(step: Step) -> dict[str, Any]:
    finite = [
        v if not isinstance(v, float) or abs(v) < float("inf") else str(v) for v in step.series
    ]
    figures = {
        "mean": step.mean,
        "deviation": step.deviation,
        "min": step.min,
        "p50": step.percentile(0.5),
        "p90": step.percentile(0.9),
        "p99": step.percentile(0.99),
        "max": step.max,
    }
    known = {name: value for name, value in figures.items() if value is None or isfinite(value)}
    named = {"name": step.name, "kind": step.kind, "count": step.count}
    of: dict[str, Any] = {**named, **known, "series": finite}
    if step.memory:
        of["memory"] = [row.memory and row.memory._asdict() for row in step.rows]
    return of


def _growth(it: Growth) -> dict[str, Any]:
    record, line_record = it.record, it.line_record
    return {
        "process": it.process,
        "step": it.name,
        "module": record.module if record else None,
        "qualname": record.qualname if record else None,
        "file": line_record.file if line_record else record.file if record else None,
        "line": it.line or None,
        "line_of": line_record.qualname if line_record else None,
        "bytes_per_step": it.trend.slope,
        "low": it.trend.low,
        "high": it.trend.high,
        "grows": it.grows,
        "live_bytes": it.bytes,
        "points": it.points,
    }
