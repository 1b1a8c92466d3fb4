# SPDX-License-Identifier: Apache-2.0
"""Totals by function and by step. Only this file decides what "total" means under recursion."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pyusdt.recording.histogram import percentile
from pyusdt.recording.records import CodeRecord
from pyusdt.recording.snapshot import StepRow
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
    callers: dict[int, Edge] = field(default_factory=dict, repr=False)
    callees: dict[int, Edge] = field(default_factory=dict, repr=False)

    def percentile(self, share: float) -> int | None:
        """Nanoseconds within which `share` (0..1) of the calls end; None without a histogram.

        It is read from the middle of a bucket, but never more than all calls took together; where
        only some threads are selected, the histogram may have calls of others, and is trusted.
        """
        value = percentile(self.histogram, share)
        if value is None or self.histogram.total() > self.calls + self.resumes:
            return value
        return min(value, self.total_ns)

    @property
    def p50_ns(self) -> int | None:
        return self.percentile(0.50)

    @property
    def p90_ns(self) -> int | None:
        return self.percentile(0.90)

    @property
    def p99_ns(self) -> int | None:
        return self.percentile(0.99)


def functions_of(
    records: Sequence[CodeRecord],
    roots: Iterable[Node],
    histograms: Mapping[tuple[int, int], Mapping[int, int]],
) -> list[Function]:
    """The functions of these trees, the most own time first."""
    functions: dict[int, Function] = {}
    for root in roots:
        _add_tree(root, records, functions)
    for (_, index), counts in histograms.items():
        if index in functions:
            functions[index].histogram.update(counts)
    return sorted(functions.values(), key=lambda f: (-f.self_ns, -f.total_ns, f.record.label))


def _add_tree(root: Node, records: Sequence[CodeRecord], functions: dict[int, Function]) -> None:
    active: Counter[int] = Counter()
    active_edges: Counter[tuple[int, int]] = Counter()
    path = [root.function]
    for node, entering in paths(root):
        index = node.function
        if not entering:
            path.pop()
            active[index] -= 1
            active_edges[path[-1], index] -= 1
            continue
        function = functions.get(index)
        if function is None:
            function = functions[index] = Function(records[index], index)
        caller = path[-1]
        _add_node(function, node, not active[index])
        if caller >= 0:
            edge = function.callers.get(caller)
            if edge is None:
                edge = function.callers[caller] = functions[caller].callees[index] = Edge()
            _add_edge(edge, node, not active_edges[caller, index])
        active[index] += 1
        active_edges[caller, index] += 1
        path.append(index)


def _add_node(function: Function, node: Node, outermost: bool) -> None:
    function.calls += node.calls
    function.resumes += node.resumes
    function.errors += node.errors
    function.self_ns += node.self_ns
    if outermost:
        function.total_ns += node.elapsed_ns
        function.primitive_calls += node.calls


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
