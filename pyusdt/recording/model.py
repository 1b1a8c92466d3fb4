# SPDX-License-Identifier: Apache-2.0
"""A recording in memory: what `load` returns and what `record` leaves behind."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from pyusdt.errors import one_line
from pyusdt.recording import filtered, held, memory
from pyusdt.recording.aggregate import (
    Function,
    Step,
    Trees,
    functions_of,
    steps_of,
    totals_of_tree,
)
from pyusdt.recording.build import (
    by_thread,
    charges_of,
    histograms_of,
    kernel_of,
    totals_of,
    tree_of,
)
from pyusdt.recording.charges import Charges, total
from pyusdt.recording.held import Allocated, MemoryPlace
from pyusdt.recording.kernel import KernelFigures
from pyusdt.recording.lines import Line, LineFigures, lines_of, rows_of, source_of
from pyusdt.recording.lived import Aged
from pyusdt.recording.memory import MemoryFigures, ResidentRow
from pyusdt.recording.of_age import OfAge
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
from pyusdt.recording.source import Source
from pyusdt.recording.tree import Node, merged, only
from pyusdt.system import os

GIVEN_UP = "calls beyond max_nodes"
"""What is lost where contexts were given up."""


@dataclass
class Recording(OfAge):
    """Processes, threads with their call trees, functions, steps and losses.

    `histograms` maps (process id, record index) to {ns: calls}; `losses` maps what the recorder
    left out to how many; `path` is None for a recording that was never a file.

    `latencies` maps the same to those of what was suspended, from the first entry to the end.

    `totals` maps (process id, thread index, record index) to what was counted of that function
    there, exact whatever became of its calling contexts. It is empty for an older format: then the
    trees are all that is known. `started` maps process ids to the programs that these started, and
    how often; those that took part in the recording are among them.

    `charges` maps the same to what the sampler has charged to it, of its own, also in contexts that
    were given up; TOP (-1) stands for the thread itself. Of the processes that have a sampler, what
    is not in it was not there. `kernel` maps (process id, thread index, record index) and kind and
    name of kernel.py to figures, with -1 for a thread or a function that is not known.

    `lines` maps (process id, record index, line) to what was counted of lines; they know no thread.
    `sources` maps (process id, file) to the text of the file then. `memory` has what was allocated
    in each context, by lines. `resident` maps process ids to what they had in RAM, oldest first.
    `aged` has since when blocks live (`living_since()`), and what has grown (`growth`).
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
    charges: Mapping[tuple[int, int, int], Charges] = field(default_factory=dict)
    kernel: Mapping[tuple[int, int, int, str, str], KernelFigures] = field(default_factory=dict)
    lines: Mapping[tuple[int, int, int], LineFigures] = field(default_factory=dict)
    sources: Mapping[tuple[int, str], Source] = field(default_factory=dict)
    memory: list[Allocated] = field(default_factory=list)
    resident: dict[int, list[ResidentRow]] = field(default_factory=dict)
    aged: Aged = field(default_factory=Aged)
    c_left_out: bool = False
    """Functions in C were recorded, and a filter has left some out: what Python functions spent in
    them is not known any more."""

    def __repr__(self) -> str:
        path = f": {one_line(self.path)}" if self.path else ""
        return f"<pyusdt recording{path}>\n{self.summary}"

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
        process = replace(
            process or Process(0, os.getpid(), os.getppid()),
            sampled=snapshot.sampled,
            times=snapshot.times,
            kernel=snapshot.kernel,
            memory=snapshot.memory_kinds,
        )
        place = {row.id: index for index, row in enumerate(snapshot.functions)}
        nodes: dict[int, list[NodeRow]] = defaultdict(list)
        for node in snapshot.nodes:
            nodes[node.thread].append(node)
        by_node, by_function = charges_of(snapshot.charges, place, len(snapshot.threads))
        of_threads = (
            by_thread(by_function, range(len(snapshot.threads))) if snapshot.sampled else {}
        )
        allocated = held.allocated_of(process.id, snapshot.memory, place)
        of_nodes = held.by_node(allocated)
        threads = [
            Thread(process.id, index, row.tid, clean(row.name), row.elapsed_ns,
                   tree_of(nodes[index], place, row.elapsed_ns, charges=by_node.get(index, {}),
                           memory=of_nodes.get((process.id, index), {})),
                   charges=of_threads.get(index))
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
            charges={(process.id, *key): it for key, it in by_function.items()},
            kernel=kernel_of(process, snapshot.kernel_rows, place),
            lines=lines_of(process.id, snapshot.lines, snapshot.charges, place),
            memory=allocated,
            resident={process.id: snapshot.resident} if snapshot.resident else {},
            aged=Aged.of(process.id, snapshot, place),
            sources={(process.id, clean(file)): it for file, it in snapshot.sources.items()},
        )

    @cached_property
    def tree(self) -> Node:
        """The call trees of all threads as one; its `children` are the first functions."""
        return merged(thread.root for thread in self.threads)

    @cached_property
    def functions(self) -> list[Function]:
        """Functions with their totals over all threads, those with the most own time first."""
        figures = [(index, figures) for (*_, index), figures in self.exact_totals.items()]
        others = [i for i, record in enumerate(self.records) if record.qualname == "(others)"]
        trees = Trees(
            lambda: [thread.root for thread in self.threads],
            lambda: [thread.root for thread in self.threads if thread.charges],
            has_c="native" in self.known,
            others=others if GIVEN_UP in self.losses else None,
        )
        return functions_of(
            self.records,
            figures,
            trees,
            self.histograms,
            self.latencies,
            self._charges_by_function(),
            self._kernel_by_function(),
            self.memory_by_function if "memory" in self.known else None,
        )

    @cached_property
    def line_rows(self) -> list[Line]:
        """Lines with their figures over all processes, by file and then by line."""
        return rows_of(self.records, self.lines)

    @cached_property
    def memory_rows(self) -> list[MemoryPlace]:
        """What functions have allocated, at which lines, over all processes: those with the most at
        the peak first."""
        return held.places_of(self.records, self.memory)

    @cached_property
    def memory_totals(self) -> MemoryFigures:
        """What was allocated at all, and, summed over the processes, at the peak of each."""
        return memory.total(row.figures for row in self.memory)

    @cached_property
    def memory_by_function(self) -> dict[int, MemoryFigures]:
        """What functions have allocated of their own, by record index; held.OUTSIDE (-1) stands for
        threads outside of all functions, held.NATIVE (-2) for those that no Python runs in."""
        return held.by_function(self.memory)

    def source_of(self, file: str) -> Source | None:
        """The text of the file when it was recorded; None: it is not there, or processes have not
        the same."""
        return source_of(self.sources, file)

    def _charges_by_function(self) -> dict[int, Charges | None]:
        """None where a process that has called the function had no sampler."""
        sampled = {process.id for process in self.processes if process.sampled}
        if not sampled:
            return {}
        unknown = {key[2] for key in self.exact_totals if key[0] not in sampled}
        some: dict[int, list[Charges]] = defaultdict(list)
        for (*_, index), charges in self.charges.items():
            some[index].append(charges)
        called = {key[2] for key in self.exact_totals}
        return {i: None if i in unknown else total(some.get(i, ())) for i in called}

    def _kernel_by_function(self) -> dict[int, dict[tuple[str, str], KernelFigures]]:
        sums: dict[int, dict[tuple[str, str], KernelFigures]] = defaultdict(dict)
        for (_, _, index, *key), figures in self.kernel.items():
            of = sums[index]
            name = key[0], key[1]
            of[name] = of[name].plus(figures) if name in of else figures
        return sums

    @property
    def kernel_totals(self) -> dict[str, dict[str, KernelFigures]]:
        """The kernel's account of everything, by kind and name; what no function did is in it."""
        sums: dict[str, dict[str, KernelFigures]] = {}
        for (*_, kind, name), figures in self.kernel.items():
            of = sums.setdefault(kind, {})
            of[name] = of[name].plus(figures) if name in of else figures
        return sums

    @cached_property
    def known(self) -> frozenset[str]:
        """What is known beyond calls and wall times: "cpu" (and waits), "native" (time in C
        functions), "kernel", "memory"."""
        called = {key[2] for key in self.exact_totals}
        facts = {
            "cpu": any(process.sampled for process in self.processes),
            "native": not self.c_left_out and any(self.records[i].is_c for i in called),
            "kernel": any(process.kernel is not None for process in self.processes),
            "memory": any(process.memory is not None for process in self.processes),
        }
        return frozenset(name for name, is_known in facts.items() if is_known)

    @property
    def times(self) -> str:
        """Where own and total times are from: "exact", "sampled", or "mixed" processes."""
        times = {process.times for process in self.processes}
        return "mixed" if len(times) > 1 else next(iter(times), "exact")

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
        """The part that those processes and threads recorded. Histograms, lines and steps are kept
        for whole processes: they know no thread. With some processes left out, which programs did
        not join is not known."""
        processes = [p for p in self.processes if process is None or process(p)]
        ids = {p.id for p in processes}
        threads = [t for t in self.threads if t.process in ids and (thread is None or thread(t))]
        places = {(t.process, t.index) for t in threads}
        return replace(
            self,
            processes=processes,
            threads=threads,
            totals={key: it for key, it in self.totals.items() if key[:2] in places},
            histograms={key: h for key, h in self.histograms.items() if key[0] in ids},
            latencies={key: h for key, h in self.latencies.items() if key[0] in ids},
            charges={key: it for key, it in self.charges.items() if key[:2] in places},
            kernel={
                key: it
                for key, it in self.kernel.items()
                if key[:2] in places or (key[1] < 0 and key[0] in ids and not thread)
            },
            lines={key: it for key, it in self.lines.items() if key[0] in ids},
            resident={key: rows for key, rows in self.resident.items() if key in ids},
            memory=[
                row
                for row in self.memory
                if row[:2] in places or (row.thread < 0 and row.process in ids and not thread)
            ],
            aged=self.aged.select(ids),
            sources={key: it for key, it in self.sources.items() if key[0] in ids},
            step_rows={key: rows for key, rows in self.step_rows.items() if key in ids},
            started={} if process else self.started,
        )

    def only(self, wanted: Callable[[CodeRecord], bool]) -> "Recording":
        """The functions that are wanted; the time of the others belongs to their callers."""
        chosen = {i for i, record in enumerate(self.records) if wanted(record)}

        def is_c(index: int) -> bool:
            return index >= 0 and self.records[index].is_c

        threads = [replace(t, tree=only(t.root, chosen.__contains__, is_c)) for t in self.threads]
        pairs = [*zip(self.threads, threads, strict=True)]
        return replace(
            self,
            threads=threads,
            totals=filtered.totals(self.totals, pairs, chosen),
            charges=filtered.charges(self.charges, pairs, chosen),
            kernel=filtered.kernel(self.kernel, chosen),
            lines={key: it for key, it in self.lines.items() if key[1] in chosen},
            memory=filtered.memory(self.memory, threads, chosen, is_c),
            aged=self.aged.only(chosen),
            c_left_out=self.c_left_out
            or any(self.records[k[2]].is_c and k[2] not in chosen for k in self.exact_totals),
        )

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
