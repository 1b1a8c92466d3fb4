# SPDX-License-Identifier: Apache-2.0
"""A recording in memory: what `load` returns and what `record` leaves behind."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from pyusdt.recording.aggregate import Function, Step, functions_of, steps_of
from pyusdt.recording.build import histograms_of, threads_of
from pyusdt.recording.records import CodeRecord, Process, Thread
from pyusdt.recording.snapshot import Snapshot, StepRow, clean, clean_step
from pyusdt.recording.tree import Node, merged, only


@dataclass
class Recording:
    """Processes, threads with their call trees, functions, steps and losses.

    `histograms` maps (process id, record index) to {bucket: calls}; `losses` maps what the
    recorder left out to how many; `path` is None for a recording that was never a file.
    """

    records: list[CodeRecord]
    processes: list[Process]
    threads: list[Thread]
    histograms: Mapping[tuple[int, int], Mapping[int, int]]
    step_rows: Mapping[int, list[StepRow]]
    losses: dict[str, int] = field(default_factory=dict)
    path: str | None = None

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot, process: Process | None = None) -> "Recording":
        """The recording of one process, straight from memory (no file, no copy on disk)."""
        process = process or Process(0, os.getpid(), os.getppid())
        place = {row.id: index for index, row in enumerate(snapshot.functions)}
        threads = [row._replace(name=clean(row.name)) for row in snapshot.threads]
        steps = [clean_step(row) for row in snapshot.steps]
        return cls(
            records=[
                CodeRecord(clean(f.module), clean(f.qualname), clean(f.name), clean(f.file), f.line)
                for f in snapshot.functions
            ],
            processes=[process],
            threads=threads_of(process, threads, snapshot.nodes, place),
            histograms=histograms_of(process, snapshot.histograms, place),
            step_rows={process.id: steps} if steps else {},
            losses={clean(name): count for name, count in snapshot.losses.items() if count},
        )

    @cached_property
    def tree(self) -> Node:
        """The call trees of all threads as one; its `children` are the first functions."""
        return merged(thread.root for thread in self.threads)

    @cached_property
    def functions(self) -> list[Function]:
        """Functions with their totals over all threads, those with the most own time first."""
        return functions_of(self.records, [t.root for t in self.threads], self.histograms)

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
        return not self.step_rows and not any(t.root.children for t in self.threads)

    def select(
        self,
        process: Callable[[Process], bool] | None = None,
        thread: Callable[[Thread], bool] | None = None,
    ) -> "Recording":
        """The part that those processes and threads recorded. Histograms and steps are kept for
        whole processes: they know no thread."""
        processes = [p for p in self.processes if process is None or process(p)]
        ids = {p.id for p in processes}
        return replace(
            self,
            processes=processes,
            threads=[t for t in self.threads if t.process in ids and (thread is None or thread(t))],
            histograms={key: h for key, h in self.histograms.items() if key[0] in ids},
            step_rows={key: rows for key, rows in self.step_rows.items() if key in ids},
        )

    def only(self, wanted: Callable[[CodeRecord], bool]) -> "Recording":
        """The functions that are wanted; the time of the others belongs to their callers."""
        chosen = {i for i, record in enumerate(self.records) if wanted(record)}
        threads = [replace(t, root=only(t.root, chosen.__contains__)) for t in self.threads]
        return replace(self, threads=threads)

    def thread_label(self, thread: Thread) -> str:
        """Its name, with the process where there are several."""
        label = thread.name or f"thread {thread.tid}"
        if len(self.processes) == 1:
            return label
        pid = next((p.pid for p in self.processes if p.id == thread.process), thread.process)
        return f"{label} (process {pid})"


def top(functions: Iterable[Function], key: str) -> list[Function]:
    """`functions` by one of their fields, the largest first; by `name`, in order."""
    if key == "name":
        return sorted(functions, key=lambda f: f.record)
    return sorted(functions, key=lambda f: -(getattr(f, key) or 0))
