# SPDX-License-Identifier: Apache-2.0
"""The counts of a whole run, straight from a part's bytes into SQL: SQLite converts each node, and
Python makes no object of it that lasts."""

import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from pyusdt.recording import aging, allocated
from pyusdt.recording.contexts import Contexts
from pyusdt.recording.counts import NODE, NOTHING, Counts, split, unpack
from pyusdt.recording.database import add_process
from pyusdt.recording.histogram import in_ns
from pyusdt.recording.kernel_file import OfProcess, joined
from pyusdt.recording.parts import Part
from pyusdt.recording.records import Process
from pyusdt.recording.snapshot import FunctionRow, HistogramRow, NodeFigures, Snapshot
from pyusdt.recording.totals import Totals


def can_add(parts: Sequence[Part]) -> bool:
    """Whether that is all that these parts of a process ask for: nothing to subtract or add up, and
    nothing to leave out."""
    if len(parts) != 1 or len(parts[0].counts) != 1:
        return False
    part, about = parts[0], parts[0].about
    keys = ("only", "exclude", "threads")
    return not (part.base or part.before or any(about.get(key) for key in keys))


class Nodes(NamedTuple):
    """The nodes of one thread as the part has them, in ticks."""

    process: int
    thread: int
    rate: float
    place: dict[int, int]
    """From the numbers of functions that the process has to those in the file."""
    rows: memoryview
    times: tuple[dict[int, int], dict[int, int]] | None = None
    """Elapsed and own ns by node, in the place of those in the rows."""

    def places(self, place: dict[int, int]) -> dict[int, int]:
        """From the process's numbers of functions to where `place` has those in the file."""
        return {number: place[in_file] for number, in_file in self.place.items()}

    def in_ns(self) -> Iterator[NodeFigures]:
        """The nodes, with times in ns."""
        rate, thread = self.rate, self.thread
        if self.times is not None:
            elapsed, own_times = self.times
            for row in NODE.iter_unpack(self.rows):
                yield thread, *row[1:7], elapsed.get(row[1], 0), own_times.get(row[1], 0)
            return
        for _, node, parent, function, calls, resumes, errors, elapsed, own in NODE.iter_unpack(
            self.rows
        ):
            elapsed_ns, own_ns = int(elapsed * rate + 0.5), int(own * rate + 0.5)
            yield thread, node, parent, function, calls, resumes, errors, elapsed_ns, own_ns


def add(
    database: sqlite3.Connection,
    part: Part,
    process: Process,
    pending: list[Nodes] | None,
    kernel: OfProcess | None = None,
) -> None:
    """Add the process that has this part alone, with the kernel's account of it. Nodes go to
    `pending`, if it is given. Raises ValueError where it makes no sense."""
    functions: dict[int, FunctionRow] = {}
    rest, nodes = split(part.counts[0])
    counts = unpack(rest, functions)
    rate = counts.ns_per_tick
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"counts that make no sense: {rate} ns per tick")
    if not part.about.get("c_calls"):  # another recorder may have wanted them
        _refuse_c_functions(functions.values())
    snapshot, threads = _all_but_nodes(counts, functions, part.started)
    found: dict[int, memoryview] = {}
    for serial, rows in _by_thread(nodes):
        if serial in found:
            raise ValueError("counts that make no sense: nodes of a thread in two places")
        if serial in threads:  # else a thread that did nothing
            found[serial] = rows
    contexts = Contexts(threads, found)
    snapshot.charges = contexts.charges(counts.charges)
    places = contexts.memory(functions)
    snapshot.memory = allocated.summed((), counts, NOTHING, places)
    snapshot.living = aging.living([], counts, NOTHING, places)
    snapshot.growth = aging.growth([], counts, places)
    times: dict[int, tuple[dict[int, int], dict[int, int]]] = {}
    if counts.times_sampled:
        times = contexts.times(snapshot)
    snapshot.sources = part.sources
    if kernel:
        tids = ((row.tid, row.serial) for row in sorted(counts.threads))
        snapshot.kernel_rows = joined(kernel.rows, tids, contexts.find)
        kernel.note(snapshot)
    number, place = add_process(database, part.token, process, snapshot)
    for serial, rows in found.items():
        thread = threads[serial]
        nodes_of = Nodes(number, thread, rate, place, rows, times.get(thread))
        if pending is None:
            _add_nodes(database, nodes_of)
        else:
            pending.append(nodes_of)


def _all_but_nodes(
    counts: Counts, functions: dict[int, FunctionRow], started: dict[str, int]
) -> tuple[Snapshot, dict[int, int]]:
    """That, and the threads by their serials."""
    totals = Totals(lambda _: True)
    rest = totals.update(
        replace(counts, charges=[], memory=[], living=[], growth=[], times_sampled=False),
        NOTHING,
        functions,
    )
    sums: dict[tuple[int, int, int], int] = {}
    for row in counts.histograms:
        key = row.function, in_ns(row.ticks, counts.ns_per_tick), row.kind
        sums[key] = sums.get(key, 0) + row.calls
    snapshot = Snapshot(
        threads=rest.threads,
        functions=list(functions.values()),
        histograms=[
            HistogramRow(function, ns, calls, kind)
            for (function, ns, kind), calls in sums.items()
            if not counts.times_sampled
        ],
        totals=rest.totals,
        lines=rest.lines,
        steps=rest.steps,
        losses=rest.losses,
        started=started,
        sampled=counts.sampled,
        resident=rest.resident,
        points=rest.points,
        memory_kinds=counts.memory_kinds,
        times="sampled" if counts.times_sampled else "exact",
    )
    return snapshot, {serial: index for index, serial in enumerate(totals.serials())}


def _by_thread(nodes: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The nodes of each thread, which lie together, with its serial: their first four bytes."""
    size, at = NODE.size, 0
    for key, group in groupby(zip(*(nodes[i::size] for i in range(4)), strict=True)):
        end = at + size * sum(1 for _ in group)
        yield int.from_bytes(bytes(key), "little"), nodes[at:end]
        at = end


def _add_nodes(database: sqlite3.Connection, nodes: Nodes) -> None:
    """Rows as `NODE` has them: serial, index, parent, function, the counts, and times in ticks."""
    process, thread, rate, place, rows, times = nodes
    if times is not None:
        database.executemany(
            f"INSERT INTO nodes VALUES ({process}, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((*row[:3], place[row[3]], *row[4:]) for row in nodes.in_ns()),
        )
        return
    shifts = {new - old for old, new in place.items()}
    unpacked: Iterable[tuple[Any, ...]] = NODE.iter_unpack(rows)
    shift = shifts.pop() if len(shifts) == 1 else 0
    if shifts:
        unpacked = ((*row[:3], place[row[3]], *row[4:]) for row in unpacked)
    database.executemany(
        f"INSERT INTO nodes VALUES ({process}, ? * 0 + {thread}, ?, ?, ? + {shift}, ?, ?, ?,"
        f" CAST(? * {rate!r} + 0.5 AS INTEGER), CAST(? * {rate!r} + 0.5 AS INTEGER))",
        unpacked,
    )


def _refuse_c_functions(functions: Iterable[FunctionRow]) -> None:
    for row in functions:
        if not row.file and not row.line and row.qualname != "(others)":
            raise NotWholeError


class NotWholeError(Exception):
    """It is to be added in the other way."""
