# SPDX-License-Identifier: Apache-2.0
"""What was allocated, and what was in RAM over time, as a page has it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyusdt.memory import SAMPLE_BYTES
from pyusdt.recording import Node, Recording
from pyusdt.recording.memory import NOTHING, MemoryFigures
from pyusdt.recording.records import Process
from pyusdt.recording.snapshot import StepRow
from pyusdt.report.html.pack import Column, column, table

_MOST_LANES = 6  # of a process: names of steps and marks that are drawn
_MOST_DRAWN = 2000  # steps or marks of one name
_FIGURES = (
    "peak", "peakBlocks", "allocated", "allocatedBlocks", "live", "liveBlocks", "temporary",
    "temporaryBlocks", "biggest",
)  # fmt: skip
_Key = tuple[int, ...]


def memory_data(
    recording: Recording, nodes: list[Node], place: Callable[[str], int]
) -> dict[str, Any] | None:
    """All of it; None where no memory was recorded. `nodes` are those of the page, `place` has its
    strings."""
    if "memory" not in recording.known:
        return None
    origins = _origins(recording.processes)
    moments = [
        row.at_ns + origins[process]
        for process, rows in recording.resident.items()
        for row in rows[:1]
    ]
    origin = min(moments, default=0)
    over_time = [
        (number, process, origins[process.id] - origin)
        for number, process in enumerate(recording.processes)
        if process.memory is not None and recording.resident.get(process.id)
    ]
    return {
        "sample": SAMPLE_BYTES,
        "kinds": [process.memory for process in recording.processes],
        "nodes": _table(("node",), {(i,): it.memory for i, it in enumerate(nodes) if it.memory}),
        "functions": _table(("process", "thread", "function"), _by_function(recording)),
        "lines": _table(("function", "line"), _by_line(recording)),
        "began": origin // 1_000_000,
        "resident": [_points(recording, *it) for it in over_time],
        "lanes": [_lanes(recording.step_rows.get(it[1].id, []), it[2], place) for it in over_time],
    }


def _table(names: tuple[str, ...], rows: Mapping[_Key, MemoryFigures]) -> dict[str, Column]:
    return table((*names, *_FIGURES), [(*key, *_figures(it)) for key, it in rows.items()])


def _figures(it: MemoryFigures) -> _Key:
    return (
        it.peak_bytes, it.peak_blocks, it.allocated_bytes, it.allocated_blocks,
        max(it.live_bytes, 0), max(it.live_blocks, 0), it.temporary_bytes, it.temporary_blocks,
        it.biggest,
    )  # fmt: skip


def _summed(rows: Iterable[tuple[_Key, MemoryFigures]]) -> dict[_Key, MemoryFigures]:
    sums: defaultdict[_Key, MemoryFigures] = defaultdict(lambda: NOTHING)
    for key, figures in rows:
        sums[key] = sums[key].plus(figures)
    return sums


def _by_function(recording: Recording) -> dict[_Key, MemoryFigures]:
    """By place of the process; by those of the thread and the function from 1 on, 0 for none."""
    processes = {process.id: i for i, process in enumerate(recording.processes)}
    threads = {(t.process, t.index): i for i, t in enumerate(recording.threads, 1)}
    return _summed(
        ((processes[row.process], threads.get(row[:2], 0), row.function + 1), row.figures)
        for row in recording.memory
    )


def _by_line(recording: Recording) -> dict[_Key, MemoryFigures]:
    return _summed(
        ((row.line_function, row.line), row.figures)
        for row in recording.memory
        if row.line and row.line_function >= 0
    )


def _origins(processes: list[Process]) -> dict[int, int]:
    """What makes times of each process such of one clock: those of a host have one already, whose
    times of day may have been set meanwhile."""
    of_host: dict[str, int] = {}
    for process in processes:
        of_host.setdefault(process.host, process.started_ns - process.started_monotonic_ns)
    return {process.id: of_host[process.host] for process in processes}


def _points(recording: Recording, number: int, process: Process, shift: int) -> dict[str, Any]:
    rows = recording.resident[process.id]
    return {
        "process": number,
        "most": max(row.peak_bytes for row in rows),
        "points": {
            "at": column([max(row.at_ns + shift, 0) for row in rows]),
            "rss": column([row.rss_bytes for row in rows]),
            "swap": column([row.swap_bytes for row in rows]),
        },
    }


def _lanes(rows: list[StepRow], shift: int, place: Callable[[str], int]) -> dict[str, Any]:
    """Steps and marks by name, those with the most time, in the order in which they came; `others`
    are names that are left out, and of a name every `each`-th is there."""
    by_name: dict[tuple[str, str], list[StepRow]] = {}
    for row in rows:
        by_name.setdefault((row.name, row.kind), []).append(row)
    longest = sorted(by_name.items(), key=lambda it: -sum(row.elapsed_ns or 0 for row in it[1]))
    lanes = []
    chosen = sorted(longest[:_MOST_LANES], key=lambda it: min(row.start_ns for row in it[1]))
    for (name, kind), all_of_it in chosen:
        each = -(-len(all_of_it) // _MOST_DRAWN)
        drawn = sorted(all_of_it[::each], key=lambda row: row.start_ns)
        starts = [max(row.start_ns + shift, 0) for row in drawn]
        ends = [max(row.start_ns + (row.elapsed_ns or 0) + shift, 0) for row in drawn]
        lengths = [end - start for start, end in zip(starts, ends, strict=True)]
        spans = {"start": column(starts), "elapsed": column(lengths)}
        lanes.append({"name": place(name), "kind": kind, "each": each, "spans": spans})
    return {"lanes": lanes, "others": max(len(by_name) - _MOST_LANES, 0)}
