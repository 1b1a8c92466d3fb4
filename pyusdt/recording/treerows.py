# SPDX-License-Identifier: Apache-2.0
"""Call trees as rows: what they add up to, without an object for each context."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from operator import add

from pyusdt.recording.charges import ChargeRow
from pyusdt.recording.snapshot import NodeRow, TotalFigures, TotalRow

Above = Callable[[int], tuple[int, int]]
"""The context above a node, or -1, and the function of the node."""

_NO_TOTALS = TotalFigures(0, 0, 0, 0, 0, 0)


def elapsed_of(own: Mapping[int, int], above: Above) -> dict[int, int]:
    """The time of nodes and of all above them, from their own times. A node has a greater number
    than the one above it; raises ValueError where it has not."""
    elapsed = dict(own)
    waiting = [-node for node in own]
    heapify(waiting)
    while waiting:
        node = -heappop(waiting)
        parent, _ = above(node)
        if parent < 0:
            continue
        if parent >= node:
            raise ValueError("a calling context in none that is known")
        if parent not in elapsed:
            elapsed[parent] = 0
            heappush(waiting, -parent)
        elapsed[parent] += elapsed[node]
    return elapsed


def totals_of(elapsed: Mapping[int, int], above: Above) -> dict[int, int]:
    """The time of functions, with all that they called; recursion counts once."""
    children: dict[int, list[int]] = defaultdict(list)
    functions: dict[int, int] = {}
    for node in elapsed:
        parent, functions[node] = above(node)
        children[parent].append(node)
    totals: Counter[int] = Counter()
    active: Counter[int] = Counter()
    levels = [iter(children[-1])]
    path: list[int] = []
    while levels:
        child = next(levels[-1], None)
        if child is None:
            levels.pop()
            if path:
                active[path.pop()] -= 1
            continue
        function = functions[child]
        if not active[function]:
            totals[function] += elapsed[child]
        active[function] += 1
        path.append(function)
        levels.append(iter(children[child]))
    return totals


def add_own(charges: Iterable[ChargeRow], totals: dict[tuple[int, int], TotalFigures]) -> None:
    """Add what was charged to functions as their own time, and what is of no known context as all
    of their time. `totals` are by thread and function."""
    for row in charges:
        if row.function >= 0:
            part = row.thread, row.function
            known = totals.get(part, _NO_TOTALS)
            alone = row.ns if row.node < 0 else 0
            totals[part] = known._replace(
                total_ns=known.total_ns + alone, self_ns=known.self_ns + row.ns
            )


def add_totals(
    thread: int,
    elapsed: Mapping[int, int],
    above: Above,
    totals: dict[tuple[int, int], TotalFigures],
) -> None:
    """Add the time of a thread's functions, with all that they called."""
    for function, ns in totals_of(elapsed, above).items():
        known = totals.get((thread, function), _NO_TOTALS)
        totals[thread, function] = known._replace(total_ns=known.total_ns + ns)


def totals_of_nodes(nodes: Sequence[NodeRow]) -> list[TotalRow]:
    """Those that whole call trees add up to."""
    children: dict[tuple[int, int], list[NodeRow]] = {}
    for row in nodes:
        children.setdefault((row.thread, row.parent), []).append(row)
    sums: dict[tuple[int, int], TotalFigures] = {}
    active: Counter[int] = Counter()
    for thread in sorted({row.thread for row in nodes}):
        levels = [iter(children.get((thread, -1), ()))]
        path: list[int] = []
        while levels:
            node = next(levels[-1], None)
            if node is None:
                levels.pop()
                if path:
                    active[path.pop()] -= 1
                continue
            part, once = (thread, node.function), int(not active[node.function])
            figures = TotalFigures(node.calls, node.calls * once, node.resumes, node.errors,
                                   node.elapsed_ns * once, node.self_ns)  # fmt: skip
            sums[part] = TotalFigures(*map(add, sums.get(part, _NO_TOTALS), figures))
            path.append(node.function)
            active[node.function] += 1
            levels.append(iter(children.get((thread, node.node), ())))
    return [TotalRow(*part, *figures) for part, figures in sums.items()]
