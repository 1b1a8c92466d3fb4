# SPDX-License-Identifier: Apache-2.0
"""Call trees as rows: what they add up to, without an object for each context."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import add

from pyusdt.recording.charges import ChargeRow
from pyusdt.recording.snapshot import NodeRow, TotalFigures, TotalRow

Above = Callable[[int], tuple[int, int]]
"""The context above a node, or -1, and the function of the node."""

_NO_TOTALS = TotalFigures(0, 0, 0, 0, 0, 0)


class Charged:
    """The nodes of a thread that have time of their own, and all above them."""

    def __init__(self, own: Mapping[int, int], above: Above) -> None:
        """`own` times are by node, which has a greater number than the one above it. Raises
        ValueError where it has not."""
        self._above: dict[int, tuple[int, int]] = {}
        for node in own:
            while node >= 0 and node not in self._above:
                self._above[node] = above(node)
                if self._above[node][0] >= node:
                    raise ValueError("a calling context in none that is known")
                node = self._above[node][0]
        self._down = sorted(self._above)
        self.elapsed = dict.fromkeys(self._down, 0) | dict(own)
        """The time of each, with that of those below."""
        for node in reversed(self._down):
            parent = self._above[node][0]
            if parent >= 0:
                self.elapsed[parent] += self.elapsed[node]

    def totals(self) -> dict[int, int]:
        """The time of functions, with all that they called; recursion counts once."""
        children: dict[int, list[int]] = {}
        for node in self._down:
            children.setdefault(self._above[node][0], []).append(node)
        totals: Counter[int] = Counter()
        active: Counter[int] = Counter()
        levels = [iter(children.get(-1, ()))]
        path: list[int] = []
        while levels:
            child = next(levels[-1], None)
            if child is None:
                levels.pop()
                if path:
                    active[path.pop()] -= 1
                continue
            function = self._above[child][1]
            if not active[function]:
                totals[function] += self.elapsed[child]
            if child in children:
                active[function] += 1
                path.append(function)
                levels.append(iter(children[child]))
        return totals


def add_own(charges: Iterable[ChargeRow], totals: dict[tuple[int, int], TotalFigures]) -> None:
    """Add what was charged to functions as their own time, and what is of no known context as all
    of their time. `totals` are by thread and function."""
    own: Counter[tuple[int, int]] = Counter()
    alone: Counter[tuple[int, int]] = Counter()
    for thread, node, function, _, _, _, ns, _ in charges:
        if function >= 0:
            own[thread, function] += ns
            if node < 0:
                alone[thread, function] += ns
    for part, ns in own.items():
        known = totals.get(part, _NO_TOTALS)
        totals[part] = known._replace(
            total_ns=known.total_ns + alone[part], self_ns=known.self_ns + ns
        )


def add_totals(thread: int, charged: Charged, totals: dict[tuple[int, int], TotalFigures]) -> None:
    """Add the time of a thread's functions, with all that they called."""
    for function, ns in charged.totals().items():
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
