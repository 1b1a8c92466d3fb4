# SPDX-License-Identifier: Apache-2.0
"""A recording in memory: what `load` returns and what `record` leaves behind."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from pyusdt.errors import one_line
from pyusdt.recording.aggregate import Function, Step, functions_of, steps_of, totals_of_tree
from pyusdt.recording.build import histograms_of, totals_of, tree_of
from pyusdt.recording.records import CodeRecord, Process, Thread
from pyusdt.recording.snapshot import (
    LATENCY,
    RUNNING,
    NodeRow,
    Snapshot,
    StepRow,
    TotalFigures,
    clean,
    clean_step,
)
from pyusdt.recording.tree import Node, merged, only, walk
from pyusdt.system import os


@dataclass
class Recording:
    """Processes, threads with their call trees, functions, steps and losses.

    `histograms` maps (process id, record index) to {ns: calls}; `losses` maps what the recorder
    left out to how many; `path` is None for a recording that was never a file.

    `latencies` maps the same to those of generators and coroutines that were suspended, from their
    first entry to their end.

    `totals` maps (process id, thread index, record index) to what was counted of that function
    there, exact whatever became of its calling contexts. It is empty for a recording of an older
    format: then the trees are all that is known. `started` maps process ids to the programs that
    these started, and how often; those that took part in the recording are among them.
    """

    records: list[CodeRecord]
    processes: list[Process]
    threads: list[Thread]
    histograms: Mapping[tuple[int, int], Mapping[int, int]]
    step_rows: Mapping[int, list[StepRow]]
    losses: dict[str, int] = field(default_factory=dict)
    path: str | None = None
    totals: Mapping[tuple[int, int, int], TotalFigures] = field(default_factory=dict)
    started: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    latencies: Mapping[tuple[int, int], Mapping[int, int]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"<pyusdt recording{f': {one_line(self.path)}' if self.path else ''}>\n{self.summary}"
        )

    @property
    def summary(self) -> str:
        """Two lines: how much was recorded, and which function has the most own time."""
        calls = sum(function.calls for function in self.functions)
        counts = [(calls, "call"), (len(self.functions), "function"), (len(self.threads), "thread")]
        figures = ", ".join(f"{n:,} {word}{'s' if n != 1 else ''}" for n, word in counts)
        lost = ", ".join(f"{one_line(name)} {n:,}" for name, n in self.losses.items())
        most = "no function"
        if self.functions:
            name = f"{self.functions[0].record.module}:{self.functions[0].record.qualname}"
            share = self.functions[0].self_ns / (self.self_ns or 1)
            most = f"{one_line(name)}, {share:.1%} of {self.self_ns / 1e6:,.3f} ms"
        return f"  {figures}; lost: {lost or 'nothing'}\n  most own time: {most}"

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot, process: Process | None = None) -> "Recording":
        """The recording of one process, straight from memory (no file, no copy on disk)."""
        process = process or Process(0, os.getpid(), os.getppid())
        place = {row.id: index for index, row in enumerate(snapshot.functions)}
        nodes: dict[int, list[NodeRow]] = defaultdict(list)
        for node in snapshot.nodes:
            nodes[node.thread].append(node)
        threads = [
            Thread(process.id, index, row.tid, clean(row.name), row.elapsed_ns,
                   tree_of(nodes[index], place, row.elapsed_ns))
            for index, row in enumerate(snapshot.threads)
        ]  # fmt: skip
        steps = [clean_step(row) for row in snapshot.steps]
        return cls(
            records=[
                CodeRecord(clean(f.module), clean(f.qualname), clean(f.name), clean(f.file), f.line)
                for f in snapshot.functions
            ],
            processes=[process],
            threads=threads,
            histograms=histograms_of(process, snapshot.histograms, place, RUNNING),
            latencies=histograms_of(process, snapshot.histograms, place, LATENCY),
            step_rows={process.id: steps} if steps else {},
            losses={clean(name): count for name, count in snapshot.losses.items() if count},
            totals=totals_of(process, snapshot.totals, place, len(threads)),
        )

    @cached_property
    def tree(self) -> Node:
        """The call trees of all threads as one; its `children` are the first functions."""
        return merged(thread.root for thread in self.threads)

    @cached_property
    def functions(self) -> list[Function]:
        """Functions with their totals over all threads, those with the most own time first."""
        figures = [(index, figures) for (*_, index), figures in self.exact_totals.items()]
        return functions_of(self.records, figures, self._roots, self.histograms, self.latencies)

    def _roots(self) -> list[Node]:
        return [thread.root for thread in self.threads]

    @cached_property
    def exact_totals(self) -> Mapping[tuple[int, int, int], TotalFigures]:
        """`totals`, or for an older recording what the trees add up to."""
        if self.totals:
            return self.totals
        return {
            (t.process, t.index, index): figures
            for t in self.threads
            for index, figures in totals_of_tree(t.root).items()
        }

    @cached_property
    def steps(self) -> list[Step]:
        """Steps and marks by name, in the order in which they first came."""
        return steps_of(self.step_rows.values())

    @property
    def self_ns(self) -> int:
        """The time of everything recorded: what shares are shares of."""
        return sum(function.self_ns for function in self.functions)

    @property
    def empty(self) -> bool:
        """Nothing at all was recorded."""
        recorded = self.totals or any(t.root.children for t in self.threads)
        return not self.step_rows and not recorded

    def select(
        self,
        process: Callable[[Process], bool] | None = None,
        thread: Callable[[Thread], bool] | None = None,
    ) -> "Recording":
        """The part that those processes and threads recorded. Histograms and steps are kept for
        whole processes: they know no thread. With some processes left out, which programs did not
        join is not known."""
        processes = [p for p in self.processes if process is None or process(p)]
        ids = {p.id for p in processes}
        threads = [t for t in self.threads if t.process in ids and (thread is None or thread(t))]
        places = {(t.process, t.index) for t in threads}
        return replace(
            self,
            processes=processes,
            threads=threads,
            totals={key: total for key, total in self.totals.items() if key[:2] in places},
            histograms={key: h for key, h in self.histograms.items() if key[0] in ids},
            latencies={key: h for key, h in self.latencies.items() if key[0] in ids},
            step_rows={key: rows for key, rows in self.step_rows.items() if key in ids},
            started={} if process else self.started,
        )

    def only(self, wanted: Callable[[CodeRecord], bool]) -> "Recording":
        """The functions that are wanted; the time of the others belongs to their callers."""
        chosen = {i for i, record in enumerate(self.records) if wanted(record)}
        threads = [replace(t, tree=only(t.root, chosen.__contains__)) for t in self.threads]
        totals = {key: total for key, total in self.totals.items() if key[2] in chosen}
        for before, after in zip(self.threads, threads, strict=True) if totals else ():
            for index, self_ns in _taken(before.root, after.root).items():
                key = (after.process, after.index, index)
                known = totals.get(key, TotalFigures(0, 0, 0, 0, 0, 0))
                totals[key] = known._replace(self_ns=known.self_ns + self_ns)
        return replace(self, threads=threads, totals=totals)

    def thread_label(self, thread: Thread) -> str:
        """Its name, with the process where there are several, and how many threads it is."""
        label = thread.name or f"thread {thread.tid}"
        if thread.count > 1:
            label += f" ({thread.count} threads)"
        if len(self.processes) == 1:
            return label
        return f"{label} (process {self._pids.get(thread.process, thread.process)})"

    @cached_property
    def _pids(self) -> dict[int, int]:
        return {process.id: process.pid for process in self.processes}


def _taken(before: Node, after: Node) -> Counter[int]:
    """How much own time functions have in the tree `after` that they had not in `before`."""
    taken: Counter[int] = Counter()
    for node, _ in walk(after):
        taken[node.function] += node.self_ns
    for node, _ in walk(before):
        if node.function in taken:
            taken[node.function] -= node.self_ns
    return +taken


def top(functions: Iterable[Function], key: str) -> list[Function]:
    """`functions` by one of their fields, the largest first; by `name`, in order."""
    if key == "name":
        return sorted(functions, key=lambda f: f.record)
    return sorted(functions, key=lambda f: -(getattr(f, key) or 0))
