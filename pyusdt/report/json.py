# SPDX-License-Identifier: Apache-2.0
"""JSON with everything that a recording holds. Times are ns; see `FORMAT` for its version.

`functions[].index` is what `threads[].nodes`, callers and callees refer to. The nodes of a thread
are columns of equal length; `parent` is a place in the same columns, -1 at the top. `count` is how
many threads of one name are shown as one; its `elapsed_ns` is then that of the longest. A
`histogram` maps durations to calls: the shortest and the longest exactly, the others within 1.1 %.
`latency_ns` is of generators and coroutines that were suspended, from the first entry to the end;
null: there is none.
"""

from dataclasses import asdict
from math import isfinite
from typing import Any, BinaryIO

from pyusdt.recording import Function, Recording, Step
from pyusdt.recording.tree import Node, paths
from pyusdt.report import killed, missing
from pyusdt.report.names import json_text
from pyusdt.report.options import Options
from pyusdt.report.order import ordered

FORMAT = 2


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """Write one JSON object; `sort` and `top` apply to its functions."""
    functions = ordered(recording, options.sort)[: options.top]
    document = {
        "pyusdt": FORMAT,
        "processes": [asdict(process) for process in recording.processes],
        "functions": [_function(function) for function in functions],
        "threads": [
            {
                "process": thread.process,
                "tid": thread.tid,
                "name": thread.name,
                "count": thread.count,
                "elapsed_ns": thread.elapsed_ns,
                "nodes": columns(thread.root),
            }
            for thread in recording.threads
        ],
        "steps": [_step(step) for step in recording.steps],
        "losses": recording.losses,
        "missing": dict(missing.programs(recording)),
        "killed": [it._asdict() for it in killed.processes(recording)],
    }
    out.write(json_text(document).encode())
    out.write(b"\n")


def columns(root: Node) -> dict[str, list[int]]:
    """The nodes below `root` by column, callers before callees."""
    names = ("parent", "function", "calls", "resumes", "errors", "elapsed_ns", "self_ns")
    values: tuple[list[int], ...] = tuple([] for _ in names)
    path = [-1]
    for node, entering in paths(root):
        if not entering:
            path.pop()
            continue
        for column, value in zip(values, (path[-1], node.function, *node.counts), strict=True):
            column.append(value)
        path.append(len(values[0]) - 1)
    return dict(zip(names, values, strict=True))


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
    return {"name": step.name, "kind": step.kind, "count": step.count, **known, "series": finite}
