# SPDX-License-Identifier: Apache-2.0
"""Totals by function and by step. Only this file decides what "total" means under recursion."""

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import add

from pyusdt.recording.histogram import percentile
from pyusdt.recording.records import CodeRecord
from pyusdt.recording.snapshot import StepRow, TotalFigures
from pyusdt.recording.tree import Node, paths

_LARGEST = 1e150


@dataclass(slots=True)
class Edge:
    """One function called by another. `elapsed_ns` counts recursion through the edge once, and so
    do the `primitive_calls`."""

    calls: int = 0
    primitive_calls: int = 0
    resumes: int = 0
    errors: int = 0
    elapsed_ns: int = 0
    self_ns: int = 0


class _Edges:
    """The edges between functions, made of trees when they are first asked for: a large recording
    has far more contexts than functions."""

    def __init__(
        self, functions: Mapping[int, "Function"], roots: Callable[[], Iterable[Node]]
    ) -> None:
        self._functions = functions
        self._roots = roots

    @cached_property
    def sides(self) -> tuple[dict[int, dict[int, Edge]], dict[int, dict[int, Edge]]]:
        """Callers and callees: function -> the other one -> edge."""
        callers: dict[int, dict[int, Edge]] = {index: {} for index in self._functions}
        callees: dict[int, dict[int, Edge]] = {index: {} for index in self._functions}
        for root in self._roots():
            self._add_tree(root, callers, callees)
        return callers, callees

    def _add_tree(
        self,
        root: Node,
        callers: dict[int, dict[int, Edge]],
        callees: dict[int, dict[int, Edge]],
    ) -> None:
        active: Counter[tuple[int, int]] = Counter()
        path = [root.function]
        for node, entering in paths(root):
            index = node.function
            if not entering:
                path.pop()
                active[path[-1], index] -= 1
                continue
            caller = path[-1]
            if caller in self._functions and index in self._functions:
                edge = callers[index].get(caller)
                if edge is None:
                    edge = callers[index][caller] = callees[caller][index] = Edge()
                _add_edge(edge, node, not active[caller, index])
            active[caller, index] += 1
            path.append(index)


_NO_EDGES = _Edges({}, tuple)


@dataclass
class Function:
    """A function's totals over all its calling contexts.

    `total_ns` counts recursion once, and so do the `primitive_calls` (pstats' word): calls from
    within the function itself, at any distance, are not among them. `callers` and `callees`
    map a record index to an Edge.
    """

    record: CodeRecord
    index: int
    calls: int = 0
    primitive_calls: int = 0
    resumes: int = 0
    errors: int = 0
    self_ns: int = 0
    total_ns: int = 0
    histogram: Counter[int] = field(default_factory=Counter, repr=False)
    latencies: Counter[int] = field(default_factory=Counter, repr=False)
    """Of what was suspended, from the first entry to the end."""
    edges: _Edges = field(default=_NO_EDGES, repr=False, compare=False)

    @property
    def callers(self) -> dict[int, Edge]:
        return self.edges.sides[0].get(self.index, {})

    @property
    def callees(self) -> dict[int, Edge]:
        return self.edges.sides[1].get(self.index, {})

    def add(self, figures: TotalFigures) -> None:
        """Add what was counted in one thread."""
        self.calls += figures.calls
        self.primitive_calls += figures.primitive_calls
        self.resumes += figures.resumes
        self.errors += figures.errors
        self.total_ns += figures.total_ns
        self.self_ns += figures.self_ns

    def percentile(self, share: float) -> int | None:
        """Nanoseconds within which `share` (0..1) of the calls end; None without a histogram.

        It is at most 1.1 % off, and never more than all calls took together (in recordings before
        format 3 it might be); where only some threads are selected, the histogram may have calls of
        others, and is trusted.
        """
        value = percentile(self.histogram, share)
        if value is None or self.histogram.total() > self.calls + self.resumes:
            return value
        return min(value, self.total_ns)

    def latency(self, share: float) -> int | None:
        """As `percentile()`, for the latency; None where nothing was suspended."""
        return percentile(self.latencies, share)

    @property
    def min_ns(self) -> int | None:
        """Of the shortest call, exactly."""
        return min(self.histogram, default=None)

    @property
    def max_ns(self) -> int | None:
        """Of the longest call, exactly."""
        return max(self.histogram, default=None)

    @property
    def p50_ns(self) -> int | None:
        return self.percentile(0.50)

    @property
    def p90_ns(self) -> int | None:
        return self.percentile(0.90)

    @property
    def p99_ns(self) -> int | None:
        return self.percentile(0.99)


def totals_of_tree(root: Node) -> dict[int, TotalFigures]:
    """What a tree alone gives by function: where contexts were given up, less than was."""
    sums: dict[int, list[int]] = {}
    active: Counter[int] = Counter()
    for node, entering in paths(root):
        if not entering:
            active[node.function] -= 1
            continue
        outermost = not active[node.function]
        figures = (
            node.calls,
            node.calls if outermost else 0,
            node.resumes,
            node.errors,
            node.elapsed_ns if outermost else 0,
            node.self_ns,
        )
        known = sums.get(node.function, (0,) * len(figures))
        sums[node.function] = list(map(add, known, figures))
        active[node.function] += 1
    return {function: TotalFigures(*figures) for function, figures in sums.items()}


def functions_of(
    records: Sequence[CodeRecord],
    totals: Iterable[tuple[int, TotalFigures]],
    roots: Callable[[], Iterable[Node]],
    histograms: Mapping[tuple[int, int], Mapping[int, int]],
    latencies: Mapping[tuple[int, int], Mapping[int, int]],
) -> list[Function]:
    """The functions that have these totals, by record index, the most own time first. Callers and
    callees are those of the trees: of contexts that were given up they are not known."""
    functions: dict[int, Function] = {}
    edges = _Edges(functions, roots)
    for index, figures in totals:
        if index not in functions:
            functions[index] = Function(records[index], index, edges=edges)
        functions[index].add(figures)
    for (_, index), counts in histograms.items():
        if index in functions:
            functions[index].histogram.update(counts)
    for (_, index), counts in latencies.items():
        if index in functions:
            functions[index].latencies.update(counts)
    return sorted(functions.values(), key=lambda f: (-f.self_ns, -f.total_ns, f.record.label))


def _add_edge(edge: Edge, node: Node, outermost: bool) -> None:
    edge.calls += node.calls
    edge.resumes += node.resumes
    edge.errors += node.errors
    edge.self_ns += node.self_ns
    if outermost:
        edge.elapsed_ns += node.elapsed_ns
        edge.primitive_calls += node.calls


@dataclass
class Step:
    """A step or a mark by name. `series` has the elapsed ns of each run of a step, or the values
    of a mark, in order; the figures are None where there is nothing to compute them from."""

    name: str
    kind: str
    rows: list[StepRow] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.rows)

    @cached_property
    def series(self) -> list[int | float | str | None]:
        return [row.elapsed_ns if self.kind == "step" else row.value for row in self.rows]

    @cached_property
    def numbers(self) -> list[float]:
        """What of the series can be computed with: not inf, nan, nor what has no square."""
        values = (value for value in self.series if isinstance(value, int | float))
        return [value for value in values if -_LARGEST < value < _LARGEST]

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.numbers) if self.numbers else None

    @property
    def min(self) -> float | None:
        return min(self.numbers, default=None)

    @property
    def max(self) -> float | None:
        return max(self.numbers, default=None)

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation; None for fewer than two."""
        return statistics.stdev(self.numbers) if len(self.numbers) > 1 else None

    def percentile(self, share: float) -> float | None:
        """The value below which `share` (0..1) of the series lies, interpolated."""
        if not self.numbers:
            return None
        ordered = sorted(self.numbers)
        rank = share * (len(ordered) - 1)
        low = int(rank)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


def steps_of(processes: Iterable[list[StepRow]]) -> list[Step]:
    """Steps of all processes by name and kind, in the order of their first start."""
    steps: dict[tuple[str, str], Step] = {}
    for rows in processes:
        for row in sorted(rows, key=lambda row: (row.start_ns, row.sequence)):
            steps.setdefault((row.kind, row.name), Step(row.name, row.kind)).rows.append(row)
    return sorted(steps.values(), key=lambda step: step.rows[0].start_ns)
