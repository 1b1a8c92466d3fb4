# SPDX-License-Identifier: Apache-2.0
"""The call tree by memory: each context with all that is below it."""

from collections.abc import Iterator

from rich.table import Table

from pyusdt.recording import Recording, Thread
from pyusdt.recording.held import NATIVE
from pyusdt.recording.memory import NOTHING, MemoryFigures, total
from pyusdt.recording.tree import Node, paths
from pyusdt.report.amounts import ELSEWHERE, Amounts, columns, figure_of
from pyusdt.report.branches import branches
from pyusdt.report.cells import BESIDE, Names
from pyusdt.report.columns import Cell, Name, Row, table
from pyusdt.report.text import plural, printable

_LEAST = 0.005  # of the whole: what is lighter is summed up in one line
_THREADS = 100


def memory_tree(recording: Recording, by: str, width: int) -> Table:
    """Callers above callees, those with the most first, by a name of order.MEMORY."""
    below = {id(thread): with_callees(thread.root) for thread in recording.threads}

    def whole(thread: Thread) -> MemoryFigures:
        return below[id(thread)].get(id(thread.root), NOTHING)

    threads = [it for it in recording.threads if whole(it).allocated_blocks]
    threads.sort(key=lambda it: (-figure_of(whole(it), by), -whole(it).allocated_bytes))
    drawn = _Drawn(recording, by)
    rows: list[Row] = []
    for thread in threads[:_THREADS]:
        rows += drawn.rows(thread, below[id(thread)])
    if hidden := threads[_THREADS:]:
        name = Name(f"… {plural(len(hidden), 'more thread')}: --thread NAME", style="dim")
        rows.append((drawn.cells(total(map(whole, hidden))), name))
    if native := recording.memory_by_function.get(NATIVE):
        rows.append((drawn.cells(native), Name(ELSEWHERE[NATIVE], style="bold magenta")))
    return table(columns(by), rows, "function", width, BESIDE)


class _Drawn:
    """How rows look."""

    def __init__(self, recording: Recording, by: str) -> None:
        self._recording = recording
        self._names = Names(recording)
        self._amounts = Amounts(recording)
        self._by = by
        self._whole = figure_of(recording.memory_totals, by) or 1

    def cells(self, figures: MemoryFigures) -> list[Cell]:
        return self._amounts.cells(figures, self._by, self._whole)

    def rows(self, thread: Thread, below: dict[int, MemoryFigures]) -> Iterator[Row]:
        """The thread, and what it called."""

        def of(node: Node) -> MemoryFigures:
            return below.get(id(node), NOTHING)

        root = thread.root
        least = figure_of(of(root), self._by) * _LEAST
        label = printable(self._recording.thread_label(thread))
        yield self.cells(of(root)), Name(label, style="bold magenta")
        for node, guide in branches(
            root,
            lambda node: (-figure_of(of(node), self._by), -of(node).allocated_bytes),
            lambda node: figure_of(of(node), self._by) < least,
            lambda node: of(node).allocated_blocks > 0,
        ):
            if isinstance(node, list):
                name = Name(f"… {len(node):,} more", guide=guide, style="dim")
                yield self.cells(total(map(of, node))), name
            else:
                yield self.cells(of(node)), self._names.of(node.function, guide)


def with_callees(root: Node) -> dict[int, MemoryFigures]:
    """What each node and all below it has, by its id; nodes without any are left out."""
    sums: dict[int, MemoryFigures] = {}
    collected: list[list[MemoryFigures]] = [[root.memory] if root.memory else []]
    for node, entering in paths(root):
        if entering:
            collected.append([node.memory] if node.memory else [])
            continue
        if own := collected.pop():
            sums[id(node)] = total(own)
            collected[-1].append(sums[id(node)])
    sums[id(root)] = total(collected[0])
    return sums
