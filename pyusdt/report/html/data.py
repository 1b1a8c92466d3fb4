# SPDX-License-Identifier: Apache-2.0
"""What a page has of a recording, as an object for JSON.

Each string is in it once; functions and nodes are columns of numbers. Nodes come callers first,
with their depth. What the sampler has charged are rows that name a node or a function: most have
none.
"""

from collections.abc import Mapping
from typing import Any

from pyusdt.recording import Node, Recording, Step
from pyusdt.recording.account import account
from pyusdt.recording.charges import KINDS, Charges
from pyusdt.recording.kernel import KernelFigures
from pyusdt.recording.model import GIVEN_UP
from pyusdt.recording.snapshot import clean
from pyusdt.report import killed, missing
from pyusdt.report.html.held import memory_data
from pyusdt.report.html.lined import lined_data
from pyusdt.report.html.pack import Column, column, table
from pyusdt.report.html.source import Sources
from pyusdt.report.lines import LinedFunction, lined_functions
from pyusdt.report.losses import lines
from pyusdt.report.place import place, roots
from pyusdt.report.prepare import OTHERS
from pyusdt.report.text import printable

_MOST_SOURCES = 400  # functions whose source is shown, those with the most time
_MOST_RUNS = 500  # of a step that are drawn
_KIND = {kind: number for number, kind in enumerate(KINDS)}
_ChargeRow = tuple[int, int, int]  # kind, looks, ns


class _Strings:
    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))

    def list(self) -> list[str]:
        return [*self._places]


def page_data(recording: Recording, *, source: bool = True) -> dict[str, Any]:
    """All of it; with lines of source files if these are wanted."""
    strings = _Strings()
    sources = Sources(recording)
    functions = lined_functions(recording) if recording.lines else []
    wall = account(recording)
    nodes, depths, threads = _threads(recording)
    memory = memory_data(recording, nodes, strings.place)
    return {
        "title": clean(recording.path or "recording"),
        "kinds": KINDS,
        "wall": wall.wall_ns,
        "processes": [
            {"pid": p.pid, "command": p.command, "python": p.python, "host": p.host,
             "started": p.started_ns // 1_000_000, "reason": p.reason, "wall": of.wall_ns}
            for p, of in zip(recording.processes, wall.processes, strict=True)
        ],
        "threads": threads,
        "functions": _functions(recording, strings),
        "nodes": _nodes(nodes, depths),
        "charges": _charges(nodes),
        "steps": [_step(step) for step in recording.steps],
        "totals": _totals(recording),
        "charged": _charged(recording),
        "native": _native(recording),
        "kernel": _kernel(recording),
        "offcpu": _cleaned(recording.kernel_totals.get("offcpu", {})),
        "lined": _lined(recording, functions, source, strings),
        **({"memory": memory} if memory else {}),
        "losses": [
            *lines(recording.losses),
            *filter(None, [missing.line(recording)]),
            *killed.lines(recording),
            *(
                f"the kernel's account of process {process.pid}: {printable(process.kernel, 200)}"
                for process in recording.processes
                if process.kernel
            ),
        ],
        "sources": _sources(recording, sources, strings, functions) if source else {},
        "files": _embedded(sources, functions if source else []),
        "strings": strings.list(),
    }  # fmt: skip


def _threads(recording: Recording) -> tuple[list[Node], list[int], list[dict[str, Any]]]:
    """The nodes of all threads, their depths, and the threads."""
    nodes: list[Node] = []
    depths: list[int] = []
    threads = []
    processes = {process.id: i for i, process in enumerate(recording.processes)}
    for thread in recording.threads:
        first = len(nodes)
        _add_nodes(thread.root, nodes, depths)
        process = processes[thread.process]
        threads.append(
            {
                "name": recording.thread_label(thread),
                "process": process,
                "count": thread.count,
                "elapsed": thread.elapsed_ns,
                "first": first,
                "end": len(nodes),
                "estimated": recording.processes[process].times == "sampled",
                "charges": None if thread.charges is None else _by_kind(thread.charges),
            }
        )
    return nodes, depths, threads


def _add_nodes(root: Node, nodes: list[Node], depths: list[int]) -> None:
    """As tree.walk(), which takes twice as long for a million."""
    stack = root.children[::-1]
    levels = [0] * len(stack)
    while stack:
        node, depth = stack.pop(), levels.pop()
        nodes.append(node)
        depths.append(depth)
        if children := node.children:
            stack += children[::-1]
            levels += [depth + 1] * len(children)


def _nodes(nodes: list[Node], depths: list[int]) -> dict[str, Column]:
    return {
        "depth": column(depths),
        "function": column([node.function for node in nodes]),
        "calls": column([node.calls for node in nodes]),
        "resumes": column([node.resumes for node in nodes]),
        "errors": column([node.errors for node in nodes]),
        "self": column([ns if (ns := node.self_ns) > 0 else 0 for node in nodes]),
    }


def _rows(charges: Charges) -> list[_ChargeRow]:
    return [(_KIND[kind], looks, ns) for kind, _, looks, ns in charges.rows]


def _by_kind(charges: Charges) -> dict[str, list[int]]:
    ns, looks = [0] * len(KINDS), [0] * len(KINDS)
    for kind, n, time in _rows(charges):
        ns[kind] += time
        looks[kind] += n
    return {"ns": ns, "looks": looks}


def _charges(nodes: list[Node]) -> dict[str, Column]:
    """What nodes have been charged themselves."""
    rows = [
        (i, *row) for i, node in enumerate(nodes) if node.charges for row in _rows(node.charges)
    ]
    return table(("node", "kind", "looks", "ns"), rows)


def _charged(recording: Recording) -> dict[str, Column]:
    """What functions have been charged in each thread, in whatever contexts."""
    places = _places(recording)
    rows = [
        (places[process, thread], function, *row)
        for (process, thread, function), charges in recording.charges.items()
        if function >= 0
        for row in _rows(charges)
    ]
    return table(("thread", "function", "kind", "looks", "ns"), rows)


def _places(recording: Recording) -> dict[tuple[int, int], int]:
    return {(thread.process, thread.index): i for i, thread in enumerate(recording.threads)}


def _totals(recording: Recording) -> dict[str, Column]:
    """What each function did in each thread."""
    places = _places(recording)
    rows = [
        (places[process, thread], function, it.calls, it.resumes, it.errors,
         max(it.self_ns, 0), it.total_ns)
        for (process, thread, function), it in recording.exact_totals.items()
    ]  # fmt: skip
    return table(("thread", "function", "calls", "resumes", "errors", "self", "total"), rows)


def _functions(recording: Recording, strings: _Strings) -> dict[str, list[int | None]]:
    p50: list[int | None] = [None] * len(recording.records)
    p99, latency50, latency99 = p50[:], p50[:], p50[:]
    for function in recording.functions:
        p50[function.index], p99[function.index] = function.p50_ns, function.p99_ns
        latency50[function.index] = function.latency(0.5)
        latency99[function.index] = function.latency(0.99)
    records, below = recording.records, roots(recording)
    return {
        "module": [strings.place(record.module) for record in records],
        "name": [strings.place(record.qualname or record.name) for record in records],
        "file": [strings.place(record.file) for record in records],
        "line": [record.line for record in records],
        "place": [strings.place(place(record, below)) for record in records],
        "c": [int(record.is_c) for record in records],
        "p50": p50,
        "p99": p99,
        "latency50": latency50,
        "latency99": latency99,
    }


def _native(recording: Recording) -> dict[str, Any]:
    """Whether functions in C were recorded; `others` stand for some that have no context."""
    records = recording.records
    others = [i for i, record in enumerate(records) if record == OTHERS]
    return {
        "known": "native" in recording.known,
        "others": others if GIVEN_UP in recording.losses else [],
    }


def _kernel(recording: Recording) -> dict[int, dict[str, dict[str, KernelFigures]]]:
    """The kernel's account of each function, by kind and name: count, ns, bytes, errors."""
    found: dict[int, dict[str, dict[str, KernelFigures]]] = {}
    for function in recording.functions:
        for (kind, name), figures in function.kernel.items():
            found.setdefault(function.index, {}).setdefault(kind, {})[name] = figures
    return {
        index: {kind: _cleaned(names) for kind, names in kinds.items()}
        for index, kinds in found.items()
    }


def _cleaned(account: Mapping[str, KernelFigures]) -> dict[str, KernelFigures]:
    """With names that can be written and read as UTF-8."""
    return {clean(name): figures for name, figures in account.items()}


def _lined(
    recording: Recording, functions: list[LinedFunction], source: bool, strings: _Strings
) -> dict[str, Any] | None:
    """Lines, and what is known of them; None where none were recorded."""
    if not functions:
        return None
    known = {"times": recording.times != "sampled", "sampled": "cpu" in recording.known}
    return {**known, **lined_data(functions, source, strings.place, _rows)}


def _embedded(sources: Sources, functions: list[LinedFunction]) -> dict[str, Any]:
    """Whose text is in the page, and which files were left out."""
    whole = dict.fromkeys(it.record.file for it in functions if it.source)
    files = dict.fromkeys([*whole, *sources.embedded])
    refused = {file: why for file, why in sources.refused.items() if file not in whole}
    return {"embedded": [*files], "refused": refused}


def _sources(
    recording: Recording, sources: Sources, strings: _Strings, lined: list[LinedFunction]
) -> dict[int, int]:
    """Function -> its text, for the functions that matter and whose files are here, but those of
    which the page has lines."""
    elsewhere = {it.index for it in lined}
    functions = recording.functions
    by = (lambda f: f.self_ns, lambda f: f.total_ns, lambda f: f.cpu_ns or 0)
    wanted = {
        function.index: function.record
        for key in by
        for function in sorted(functions, key=key, reverse=True)[:_MOST_SOURCES]
        if function.index not in elsewhere
    }
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
