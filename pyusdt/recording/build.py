# SPDX-License-Identifier: Apache-2.0
"""From rows to what a Recording holds, and the checks that rows from a file need."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from pyusdt.recording.charges import ChargeRow, Charges, total
from pyusdt.recording.kernel import KernelFigures, KernelRow
from pyusdt.recording.records import Process
from pyusdt.recording.snapshot import (
    HistogramRow,
    NodeFigures,
    TotalFigures,
    TotalRow,
)
from pyusdt.recording.tree import TOP, Held, Node

_NO_CHARGES: dict[int, Charges] = {}
_NO_MEMORY: Mapping[int, Held] = {}


class DamageError(ValueError):
    """Rows that no recorder writes; the text says which."""


def histograms_of(
    process: Process, rows: Iterable[HistogramRow], place: Mapping[int, int], kind: int
) -> dict[tuple[int, int], dict[int, int]]:
    """What `Recording.histograms` holds for a process, or `latencies`, as `kind` says. `place` maps
    a function id to its index."""
    histograms: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for row in rows:
        if row.kind == kind:
            histograms[process.id, place[row.function]][row.ns] = row.calls
    return dict(histograms)


def totals_of(
    process: Process, rows: Iterable[TotalRow], place: Mapping[int, int], n_threads: int
) -> dict[tuple[int, int, int], TotalFigures]:
    """What `Recording.totals` holds for a process with so many threads. Raise DamageError where a
    row names what is not there."""
    totals: dict[tuple[int, int, int], TotalFigures] = {}
    for row in rows:
        if not 0 <= row.thread < n_threads:
            raise DamageError(f"a total is of thread {row.thread}, which is not there")
        if row.function not in place:
            raise DamageError(f"a total names function {row.function}, which is not there")
        totals[process.id, row.thread, place[row.function]] = TotalFigures(*row.figures)
    return totals


ByNode = dict[int, dict[int, Charges]]
"""What was charged, by thread and node; -1: to the thread itself."""
ByFunction = dict[tuple[int, int], Charges]
"""The same by thread and function."""


def charges_of(
    rows: Iterable[ChargeRow], place: Mapping[int, int], n_threads: int
) -> tuple[ByNode, ByFunction]:
    """Charges of a process with so many threads; `place` is as in totals_of(). Raise DamageError
    where a row names what is not there."""
    by_node: dict[tuple[int, int], list[tuple[str, int, int, int]]] = defaultdict(list)
    by_function: dict[tuple[int, int], list[tuple[str, int, int, int]]] = defaultdict(list)
    for row in rows:
        if not 0 <= row.thread < n_threads:
            raise DamageError(f"a charge is of thread {row.thread}, which is not there")
        if row.function not in place and row.function != TOP:
            raise DamageError(f"a charge names function {row.function}, which is not there")
        function = place.get(row.function, TOP)
        by_function[row.thread, function].append(row.figures)
        if row.node >= 0 or function == TOP:
            by_node[row.thread, row.node].append(row.figures)
    trees: ByNode = defaultdict(dict)
    for (thread, node), some in by_node.items():
        trees[thread][node] = Charges(some)
    return trees, {key: Charges(some) for key, some in by_function.items()}


def by_thread(
    charges: Mapping[tuple[int, int], Charges], threads: Iterable[int]
) -> dict[int, Charges]:
    """What each of the threads was charged, which may be nothing, from charges by thread and
    function. Raise DamageError for those of another thread."""
    some: dict[int, list[Charges]] = {thread: [] for thread in threads}
    for (thread, _), it in charges.items():
        if thread not in some:
            raise DamageError(f"charges are of thread {thread}, which is not there")
        some[thread].append(it)
    return {thread: total(it) for thread, it in some.items()}


def kernel_of(
    process: Process, rows: Iterable[KernelRow], place: Mapping[int, int]
) -> dict[tuple[int, int, int, str, str], KernelFigures]:
    """What `Recording.kernel` holds for a process."""
    sums: dict[tuple[int, int, int, str, str], KernelFigures] = {}
    for row in rows:
        key = process.id, row.thread, place.get(row.function, -1), row.kind, row.name
        sums[key] = sums[key].plus(row.figures) if key in sums else row.figures
    return sums


def tree_of(
    rows: Iterable[NodeFigures],
    place: Mapping[int, int],
    elapsed_ns: int,
    seen: Callable[[], None] = lambda: None,
    charges: Mapping[int, Charges] = _NO_CHARGES,
    memory: Mapping[int, Held] = _NO_MEMORY,
) -> Node:
    """The call tree of one thread, from rows as `NodeRow` has them. `place` maps a function id to
    its index, `seen` is called for each node, `charges` and `memory` are by node. Raise DamageError
    where the rows do not make a tree."""
    root = Node(counts=(0, 0, 0, elapsed_ns, 0))
    nodes = {-1: root}
    early: list[tuple[int, Node, int]] = []  # nodes that come before their callers
    for _, number, parent, function, *counts in rows:
        if function not in place:
            raise DamageError(f"node {number} names function {function}, which is not there")
        node = Node(place[function], counts)
        caller = nodes.get(parent)
        nodes[number] = node
        if caller is None:
            early.append((number, node, parent))
        else:
            caller.children.append(node)
        seen()
    if early:
        _put_below(early, nodes)
    for number, it in charges.items():
        if number not in nodes:
            raise DamageError(f"a charge is of node {number}, which is not there")
        nodes[number].charges = it
    for number, held in memory.items():
        if number not in nodes:
            raise DamageError(f"memory is of node {number}, which is not there")
        nodes[number].held = held
    return root


def _put_below(early: list[tuple[int, Node, int]], nodes: dict[int, Node]) -> None:
    for number, node, parent in early:
        if parent not in nodes:
            raise DamageError(f"node {number} is below node {parent}, which is not there")
        nodes[parent].children.append(node)
    reached, stack = 0, [nodes[-1]]
    while stack:
        reached += 1
        stack.extend(stack.pop().children)
    if reached != len(nodes):
        raise DamageError("its nodes form a circle")
