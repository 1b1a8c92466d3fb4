# SPDX-License-Identifier: Apache-2.0
"""Totals by function and by step. Only this file decides what "total" means under recursion."""

import statistics
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import add
from typing import Any, NamedTuple

from pyusdt.recording import below
from pyusdt.recording.charges import Charges
from pyusdt.recording.histogram import percentile
from pyusdt.recording.kernel import KernelFigures
from pyusdt.recording.memory import NOTHING, MemoryFigures, StepMemory
from pyusdt.recording.records import CodeRecord
from pyusdt.recording.snapshot import StepRow, TotalFigures
from pyusdt.recording.tree import Node, paths

_LARGEST = 1e150
_NOTHING: Mapping[int, Any] = {}


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


class Trees(NamedTuple):
    """Where the call trees are; they are made when they are first asked for."""

    roots: Callable[[], Iterable[Node]] = tuple
    charged: Callable[[], Iterable[Node]] = tuple
    """Those of threads to which something was charged."""
    has_c: bool = False
    """C functions were recorded."""
    others: Collection[int] | None = None
    """The functions that stand for contexts which were given up; None: all were kept."""


class _Edges:
    """The edges between functions, and what else only the trees know, made of these when it is
    first asked for: a large recording has far more contexts than functions."""

    def __init__(self, functions: Mapping[int, "Function"], trees: Trees) -> None:
        self._functions = functions
        self._trees = trees

    @cached_property
    def charges(self) -> dict[int, Charges]:
        """What functions were charged with all that they called."""
        own = {index: function.charges for index, function in self._functions.items()}
        known = {index: charges for index, charges in own.items() if charges is not None}
        return below.with_callees(known, self._trees.charged())

    @cached_property
    def native(self) -> dict[int, int]:
        """What functions spent in C functions; those of which it is not known are left out."""
        if not self._trees.has_c:
            return {}
        functions, others = self._functions, self._trees.others
        lossy = set() if others is None else below.lossy(self._trees.roots(), others)
        return {
            index: sum(e.self_ns for callee, e in callees.items() if functions[callee].record.is_c)
            for index, callees in self.sides[1].items()
            if not functions[index].record.is_c and index not in lossy
        }

    @cached_property
    def sides(self) -> tuple[dict[int, dict[int, Edge]], dict[int, dict[int, Edge]]]:
        """Callers and callees: function -> the other one -> edge."""
        callers: dict[int, dict[int, Edge]] = {index: {} for index in self._functions}
        callees: dict[int, dict[int, Edge]] = {index: {} for index in self._functions}
        for root in self._trees.roots():
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


_NO_EDGES = _Edges({}, Trees())


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
    charges: Charges | None = field(default=None, repr=False)
    """Of its own, in all contexts; None: no sampler ran in a process that called it."""
    kernel: Mapping[tuple[str, str], KernelFigures] = field(default_factory=dict, repr=False)
    """The kernel's account of its own, by kind and name (kernel.py)."""
    memory: MemoryFigures | None = field(default=None, repr=False)
    """What it allocated of its own, in all contexts; None: memory was not recorded."""

    @property
    def cpu_ns(self) -> int | None:
        """Own CPU time; None: not known."""
        return None if self.charges is None else self.charges.cpu_ns

    @property
    def user_ns(self) -> int | None:
        return None if self.charges is None else self.charges.user_ns

    @property
    def system_ns(self) -> int | None:
        return None if self.charges is None else self.charges.system_ns

    @property
    def wait_ns(self) -> int | None:
        """Own time that it waited, whatever for; None: not known."""
        return None if self.charges is None else self.charges.wait_ns

    @property
    def waits(self) -> dict[str, int]:
        """Own waits by class, in ns."""
        return self.charges.waits if self.charges else {}

    @property
    def samples(self) -> dict[str, int]:
        """How many samples its CPU time and its waits rest on."""
        return self.charges.samples if self.charges else {}

    @property
    def native_ns(self) -> int | None:
        """Time in C functions that it called; None: these were not recorded, or not all of them, or
        it is one itself."""
        return self.edges.native.get(self.index)

    @property
    def total_charges(self) -> Charges | None:
        """With all that it called; recursion counts once. None: not known."""
        if self.charges is None:
            return None
        return self.edges.charges.get(self.index, self.charges)

    @property
    def total_cpu_ns(self) -> int | None:
        return None if (charges := self.total_charges) is None else charges.cpu_ns

    @property
    def total_wait_ns(self) -> int | None:
        return None if (charges := self.total_charges) is None else charges.wait_ns

    @property
    def total_waits(self) -> dict[str, int]:
        charges = self.total_charges
        return charges.waits if charges else {}

    @property
    def syscalls(self) -> dict[str, dict[str, int]]:
        """System calls by name: count, ns and errors. Empty without the kernel's account."""
        return {
            name: {"count": it.events, "ns": it.ns, "errors": it.errors}
            for (kind, name), it in self.kernel.items()
            if kind == "syscall"
        }

    @property
    def kernel_waits(self) -> dict[str, int]:
        """Time without a CPU by its reason, in ns. Empty without the kernel's account."""
        return {name: it.ns for (kind, name), it in self.kernel.items() if kind == "offcpu"}

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
    trees: Trees,
    histograms: Mapping[tuple[int, int], Mapping[int, int]],
    latencies: Mapping[tuple[int, int], Mapping[int, int]],
    charges: Mapping[int, Charges | None] = _NOTHING,
    kernel: Mapping[int, Mapping[tuple[str, str], KernelFigures]] = _NOTHING,
    memory: Mapping[int, MemoryFigures] | None = None,
) -> list[Function]:
    """The functions that have these totals, by record index, the most own time first. Callers and
    callees are those of the trees: of contexts that were given up they are not known."""
    functions: dict[int, Function] = {}
    edges = _Edges(functions, trees)
    for index, figures in totals:
        if index not in functions:
            functions[index] = Function(records[index], index, edges=edges)
            functions[index].charges = charges.get(index)
            functions[index].kernel = kernel.get(index, {})
            if memory is not None:
                functions[index].memory = memory.get(index, NOTHING)
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

    @property
    def memory(self) -> list[StepMemory]:
        """Of each run of which it is known, in the order of the rows."""
        return [row.memory for row in self.rows if row.memory]

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
