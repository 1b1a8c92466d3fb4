# SPDX-License-Identifier: Apache-2.0
"""One HTML page that needs nothing else: page.html with style, scripts and data inlined.

The data is JSON in which `<`, `>` and `&` are escaped, so that no name can leave it. Each string
is in it once; functions and nodes are columns of numbers. Nodes come callers first, with
their depth.
"""

import json
import re
from importlib.resources import files
from typing import Any, BinaryIO

from pyusdt.recording import Node, Recording, Step
from pyusdt.recording.tree import walk
from pyusdt.report.html.source import Sources
from pyusdt.report.options import Options

_SCRIPTS = ("model.js", "format.js", "flame.js", "tables.js", "app.js")
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_MOST_SOURCES = 400  # functions whose source is shown, those with the most time
_MOST_RUNS = 500  # of a step that are drawn


def write(recording: Recording, out: BinaryIO, _options: Options) -> None:
    """Write the page."""
    here = files(__name__)
    parts = {
        "style": here.joinpath("page.css").read_text("utf-8"),
        "script": "\n".join(here.joinpath(name).read_text("utf-8") for name in _SCRIPTS),
        "data": _escaped(_data(recording)),
    }
    page = here.joinpath("page.html").read_text("utf-8")
    # One pass: what is put in is not looked at again.
    out.write(re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page).encode())


def _escaped(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&\u2028\u2029]", lambda match: _ESCAPES[match[0]], text)


class _Strings:
    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))

    def list(self) -> list[str]:
        return [*self._places]


def _data(recording: Recording) -> dict[str, Any]:
    strings = _Strings()
    nodes: dict[str, list[int]] = {
        name: [] for name in ("depth", "function", "calls", "resumes", "errors", "self")
    }
    threads = []
    for thread in recording.threads:
        first = len(nodes["depth"])
        _add_nodes(nodes, thread.root)
        threads.append(
            {
                "name": recording.thread_label(thread),
                "elapsed": thread.elapsed_ns,
                "first": first,
                "end": len(nodes["depth"]),
            }
        )
    return {
        "title": recording.path or "recording",
        "processes": [
            {"pid": p.pid, "command": p.command, "python": p.python, "host": p.host,
             "started": p.started_ns // 1_000_000, "reason": p.reason}
            for p in recording.processes
        ],
        "threads": threads,
        "functions": _functions(recording, strings),
        "nodes": nodes,
        "steps": [_step(step) for step in recording.steps],
        "losses": recording.losses,
        "sources": _sources(recording, strings),
        "strings": strings.list(),
    }  # fmt: skip


def _add_nodes(nodes: dict[str, list[int]], root: Node) -> None:
    for node, depth in walk(root):
        nodes["depth"].append(depth)
        nodes["function"].append(node.function)
        nodes["calls"].append(node.calls)
        nodes["resumes"].append(node.resumes)
        nodes["errors"].append(node.errors)
        nodes["self"].append(max(node.self_ns, 0))


def _functions(recording: Recording, strings: _Strings) -> dict[str, list[int | None]]:
    p50: list[int | None] = [None] * len(recording.records)
    p99 = p50[:]
    for function in recording.functions:
        p50[function.index], p99[function.index] = function.p50_ns, function.p99_ns
    records = recording.records
    return {
        "module": [strings.place(record.module) for record in records],
        "name": [strings.place(record.qualname or record.name) for record in records],
        "file": [strings.place(record.file) for record in records],
        "line": [record.line for record in records],
        "p50": p50,
        "p99": p99,
    }


def _sources(recording: Recording, strings: _Strings) -> dict[int, int]:
    """Function -> its lines, for the functions that matter and whose files are here."""
    sources = Sources()
    by_self = recording.functions[:_MOST_SOURCES]
    by_total = sorted(recording.functions, key=lambda f: -f.total_ns)[:_MOST_SOURCES]
    found = {}
    for function in by_self + by_total:
        text = sources.lines(function.record.file, function.record.line)
        if text:
            found[function.index] = strings.place(text)
    return found


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
