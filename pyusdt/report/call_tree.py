# SPDX-License-Identifier: Apache-2.0
"""The call tree of each thread, as a table. CPU time and waits are those with all that is below."""

from collections.abc import Iterator

from rich.table import Table

from pyusdt.recording import Recording, Thread
from pyusdt.recording.charges import NONE, Charges, total
from pyusdt.recording.tree import Node, paths
from pyusdt.report.bars import made_of
from pyusdt.report.branches import branches
from pyusdt.report.cells import BESIDE, Names
from pyusdt.report.columns import Cell, Column, Name, Row, table
from pyusdt.report.readings import Reading, sampled
from pyusdt.report.text import duration, number, plural, printable, share

_MEASURED = (Column("total"), Column("share", 4), Column("self", 3), Column("calls", 2))
_CHARGED = (
    Column("total", 1),
    Column("cpu"),
    Column("", 4, left=True),
    Column("wait", 2),
    Column("self", 6),
    Column("calls", 3),
)
_LEAST = 0.005  # of the whole: what is lighter is summed up in one line
_THREADS = 100


def tree_table(recording: Recording, measure: str, width: int) -> Table:
    """Callers above callees, the heaviest first by `measure`: one of MEASURES with all that is
    below, or "total", the elapsed time."""
    charged = "cpu" in recording.known
    by = measure if charged else "total"
    threads = sorted(recording.threads, key=lambda thread: _weight(thread, thread.charges, by))
    rows: list[Row] = []
    for thread in threads[:_THREADS]:
        rows += _Tree(recording, thread, by).rows()
    if hidden := threads[_THREADS:]:
        name = Name(f"… {plural(len(hidden), 'more thread')}: --thread NAME", style="dim")
        elapsed = duration(sum(thread.elapsed_ns for thread in hidden))
        charged_to = _charged(total(thread.charges for thread in hidden)) if charged else [""]
        rows.append(((elapsed, *charged_to, "", ""), name))
    return table(_CHARGED if charged else _MEASURED, rows, "function", width, BESIDE)


def _weight(it: Node | Thread, charges: Charges | None, measure: str) -> tuple[int, int]:
    """By what threads, and the children of a node, are sorted."""
    by = 0 if measure == "total" or not charges else charges.of(measure)
    return -by, -it.elapsed_ns


def _charged(charges: Charges, most: int | None = None) -> tuple[Cell, ...]:
    """The cells of CPU time and waits, of which there can be no more than `most`."""
    return (
        str(sampled(charges, "cpu", most)),
        made_of(charges.cpu_ns, charges.waits),
        str(sampled(charges, "wait", most)),
    )


def kinds_shown(recording: Recording) -> set[str]:
    """The kinds of time that its bars may have."""
    charges = [thread.charges for thread in recording.threads if thread.charges]
    return {"cpu", *total(charges).waits} if charges else set()


class _Tree:
    """The rows of one thread."""

    def __init__(self, recording: Recording, thread: Thread, measure: str) -> None:
        self._names = Names(recording)
        self._charged = "cpu" in recording.known
        times = {process.id: process.times for process in recording.processes}
        self._exact = times.get(thread.process) != "sampled"
        self._measure = measure
        self._label = printable(recording.thread_label(thread))
        self._below = _with_callees(thread.root) if self._charged else {}
        self._root = thread.root
        self._elapsed_ns = sum(child.elapsed_ns for child in thread.root.children)

    def rows(self) -> Iterator[Row]:
        """The thread, and what it called."""
        label = Name(self._label, style="bold magenta")
        yield self._figures(self._elapsed_ns, self._charges(self._root)), label
        for node, guide in branches(
            self._root, lambda it: _weight(it, self._charges(it), self._measure), self._light
        ):
            if isinstance(node, list):
                name = Name(f"… {len(node):,} more", guide=guide, style="dim")
                lighter = sum(n.elapsed_ns for n in node)
                yield self._figures(lighter, total(map(self._charges, node))), name
                continue
            figures = self._figures(node.elapsed_ns, self._charges(node), node)
            yield figures, self._names.of(node.function, guide)

    def _light(self, node: Node) -> bool:
        if node.elapsed_ns >= self._elapsed_ns * _LEAST:
            return False
        cpu_ns = self._charges(node).cpu_ns
        return not cpu_ns or cpu_ns < self._charges(self._root).cpu_ns * _LEAST

    def _charges(self, node: Node) -> Charges:
        return self._below.get(id(node), NONE)

    def _figures(
        self, elapsed_ns: int, charges: Charges, node: Node | None = None
    ) -> tuple[Cell, ...]:
        calls = number(node.calls) if node else ""
        if not self._charged:
            own = duration(node.self_ns) if node else ""
            return duration(elapsed_ns), share(elapsed_ns, self._elapsed_ns), own, calls
        own = self._time(node.self_ns, node.charges or NONE) if node else ""
        cells = _charged(charges, elapsed_ns if node else None)
        return self._time(elapsed_ns, charges), *cells, own, calls

    def _time(self, ns: int, charges: Charges) -> str:
        looks = charges.looks("cpu") + charges.looks("wait")
        return str(Reading(ns, None if self._exact else looks))


def _with_callees(root: Node) -> dict[int, Charges]:
    """What was charged to each node and all below it, by its id; nodes without any are left out."""
    sums: dict[int, Charges] = {}
    collected: list[list[Charges]] = [[root.charges or NONE]]
    for node, entering in paths(root):
        if entering:
            collected.append([node.charges] if node.charges else [])
            continue
        if own := collected.pop():
            sums[id(node)] = own[0] if len(own) == 1 else total(own)
            collected[-1].append(sums[id(node)])
    sums[id(root)] = total(collected[0])
    return sums
