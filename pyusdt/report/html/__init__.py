# SPDX-License-Identifier: Apache-2.0
"""One HTML page that needs nothing else: page.html with style, scripts and data inlined.

The data is JSON in which `<`, `>` and `&` are escaped, so that no name can leave it. Each string
is in it once; functions and nodes are columns of numbers. Nodes come callers first, with
their depth.
"""

import re
from importlib.resources import files
from typing import Any, BinaryIO

from pyusdt.recording import Node, Recording, Step
from pyusdt.recording.snapshot import clean
from pyusdt.recording.tree import walk
from pyusdt.report import killed, missing
from pyusdt.report.html.source import Sources
from pyusdt.report.losses import lines
from pyusdt.report.names import json_text
from pyusdt.report.options import Options

_SCRIPTS = ("model.js", "format.js", "flame.js", "tables.js", "app.js")
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
}
_MOST_SOURCES = 400  # functions whose source is shown, those with the most time
_COLUMNS = ("depth", "function", "calls", "resumes", "errors", "self")  # of nodes
_MOST_RUNS = 500  # of a step that are drawn


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """Write the page."""
    here = files(__name__)
    parts = {
        "style": here.joinpath("page.css").read_text("utf-8"),
        "script": "\n".join(here.joinpath(name).read_text("utf-8") for name in _SCRIPTS),
        "data": _escaped(_data(recording, source=options.source)),
    }
    page = here.joinpath("page.html").read_text("utf-8")
    # One pass: what is put in is not looked at again.
    out.write(re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page).encode())


def _escaped(data: Any) -> str:
    return re.sub("[<>&]", lambda match: _ESCAPES[match[0]], json_text(data))


class _Strings:
    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))

    def list(self) -> list[str]:
        return [*self._places]


def _data(recording: Recording, *, source: bool = True) -> dict[str, Any]:
    strings = _Strings()
    sources = Sources(recording)
    nodes: dict[str, list[int]] = {name: [] for name in _COLUMNS}
    threads = []
    for thread in recording.threads:
        first = len(nodes["depth"])
        _add_nodes(nodes, thread.root)
        threads.append(
            {
                "name": recording.thread_label(thread),
                "count": thread.count,
                "elapsed": thread.elapsed_ns,
                "first": first,
                "end": len(nodes["depth"]),
            }
        )
    return {
        "title": clean(recording.path or "recording"),
        "processes": [
            {"pid": p.pid, "command": p.command, "python": p.python, "host": p.host,
             "started": p.started_ns // 1_000_000, "reason": p.reason}
            for p in recording.processes
        ],
        "threads": threads,
        "functions": _functions(recording, strings),
        "nodes": nodes,
        "steps": [_step(step) for step in recording.steps],
        "totals": _totals(recording),
        "losses": [
            *lines(recording.losses),
            *filter(None, [missing.line(recording)]),
            *killed.lines(recording),
        ],
        "sources": _sources(recording, sources, strings) if source else {},
        "files": {"embedded": sources.embedded, "refused": sources.refused},
        "strings": strings.list(),
    }  # fmt: skip


def _add_nodes(nodes: dict[str, list[int]], root: Node) -> None:
    columns = (nodes[name].append for name in _COLUMNS)
    depths, functions, calls, resumes, errors, own = columns
    for node, depth in walk(root):
        depths(depth)
        functions(node.function)
        calls(node.calls)
        resumes(node.resumes)
        errors(node.errors)
        own(node.self_ns if node.self_ns > 0 else 0)


def _totals(recording: Recording) -> dict[str, list[int]]:
    """What each function did in each thread, as columns."""
    place = {(thread.process, thread.index): i for i, thread in enumerate(recording.threads)}
    columns: dict[str, list[int]] = {
        name: [] for name in ("thread", "function", "calls", "resumes", "errors", "self", "total")
    }
    for (process, thread, function), figures in recording.exact_totals.items():
        columns["thread"].append(place[process, thread])
        columns["function"].append(function)
        columns["calls"].append(figures.calls)
        columns["resumes"].append(figures.resumes)
        columns["errors"].append(figures.errors)
        columns["self"].append(max(figures.self_ns, 0))
        columns["total"].append(figures.total_ns)
    return columns


def _functions(recording: Recording, strings: _Strings) -> dict[str, list[int | None]]:
    p50: list[int | None] = [None] * len(recording.records)
    p99, latency50, latency99 = p50[:], p50[:], p50[:]
    for function in recording.functions:
        p50[function.index], p99[function.index] = function.p50_ns, function.p99_ns
        latency50[function.index] = function.latency(0.5)
        latency99[function.index] = function.latency(0.99)
    records = recording.records
    return {
        "module": [strings.place(record.module) for record in records],
        "name": [strings.place(record.qualname or record.name) for record in records],
        "file": [strings.place(record.file) for record in records],
        "line": [record.line for record in records],
        "p50": p50,
        "p99": p99,
        "latency50": latency50,
        "latency99": latency99,
    }


def _sources(recording: Recording, sources: Sources, strings: _Strings) -> dict[int, int]:
    """Function -> its lines, for the functions that matter and whose files are here."""
    by_self = recording.functions[:_MOST_SOURCES]
    by_total = sorted(recording.functions, key=lambda f: -f.total_ns)[:_MOST_SOURCES]
    wanted = {function.index: function.record for function in by_self + by_total}
    return {index: strings.place(text) for index, text in sources.blocks(wanted)}


def _step(step: Step) -> dict[str, Any]:
    series = [v if v is None or abs(v) < float("inf") else None for v in step.numbers]
    return {
        "name": step.name,
        "kind": step.kind,
        "count": step.count,
        "mean": step.mean,
        "deviation": step.deviation,
        "min": step.min,
        "max": step.max,
        "p50": step.percentile(0.5),
        "p99": step.percentile(0.99),
        "series": series[:: len(series) // _MOST_RUNS + 1],
    }
