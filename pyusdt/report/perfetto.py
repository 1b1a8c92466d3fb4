# SPDX-License-Identifier: Apache-2.0
"""Chrome's trace events in JSON, which ui.perfetto.dev opens ("Trace Event Format", Google, 2016).

A recording knows how long a call took, not when. Threads show their call tree, which is no time
line: each node once, its children one after the other, then its own time. The names of their tracks
say so. Steps and marks, on tracks of their own, stand where they were. Times are microseconds.

Where a sampler ran, counters of each thread show what the own time of the context at that place was
made of, in percent: CPU and each class of wait.
"""

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from pyusdt.recording import Node, Process, Recording, Thread
from pyusdt.recording.charges import NONE
from pyusdt.recording.snapshot import StepRow
from pyusdt.recording.tree import paths
from pyusdt.report import depth
from pyusdt.report.lanes import lanes_of
from pyusdt.report.names import json_text, whole
from pyusdt.report.options import Options

_DEEPEST = 250  # slices that Perfetto nests: it drops what is below
_STEPS_TID = 2**31 - 1  # no thread of Linux has it; further tracks count down from here
_TOTALS = "totals laid end to end"
_ABOUT = {
    "functions": f"{_TOTALS}: each calling context once, as long as all its calls; no time line",
    "steps": "when they were, from the start of their process",
}
_Event = dict[str, Any]


def write(recording: Recording, out: BinaryIO, _options: Options) -> None:
    """Write all processes, their threads, steps and marks."""
    out.write(f'{{"displayTimeUnit":"ns","otherData":{json_text(_ABOUT)},"traceEvents":['.encode())
    separator = ""
    for event in _events(depth.cut(recording, _DEEPEST)):  # there may be millions
        out.write(f"{separator}{json_text(event)}".encode())
        separator = ",\n"
    out.write(b"]}\n")


def _events(recording: Recording) -> Iterator[_Event]:
    pids = {process.id: process.pid for process in recording.processes}
    for process in recording.processes:
        name = process.command or f"process {process.pid}"
        yield _name("process_name", process.pid, 0, f"{name} ({_TOTALS})")
        yield from _steps(process, recording.step_rows.get(process.id, ()))
    labels = [whole(record.label) for record in recording.records]
    places = [f"{whole(record.file)}:{record.line}" for record in recording.records]
    for number, thread in enumerate(recording.threads, 1):
        tid = thread.tid if thread.count == 1 else f"{thread.count} threads"
        name = f"{thread.name or 'thread'} ({tid}): {_TOTALS}"
        yield _name("thread_name", pids[thread.process], number, name)
        yield from _calls(thread, labels, places, pids[thread.process], number)
        if thread.charges:
            yield from _counters(thread, pids[thread.process], f"{whole(thread.name)} ({tid})")


def _name(kind: str, pid: int, tid: int, name: str) -> _Event:
    return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": {"name": whole(name)}}


def _calls(
    thread: Thread, labels: list[str], places: list[str], pid: int, tid: int
) -> Iterator[_Event]:
    """A begin and an end for each node: of complete events the ends would be sums of fractions, cut
    to whole ns by the reader, and a child could end after its caller. `tid` is the thread's place
    in the recording, not the kernel's number, which comes again."""
    now = 0
    for node, entering in paths(thread.root):
        if not entering:
            now += max(node.self_ns, 0)
            yield {"ph": "E", "pid": pid, "tid": tid, "ts": now / 1000}
            continue
        yield {
            "ph": "B",
            "name": labels[node.function],
            "cat": "function",
            "pid": pid,
            "tid": tid,
            "ts": now / 1000,
            "args": {
                "calls": node.calls,
                "resumes": node.resumes,
                "errors": node.errors,
                "self_us": node.self_ns / 1000,
                **_charged(node),
                "where": places[node.function],
            },
        }


def _charged(node: Node) -> dict[str, float]:
    if not node.charges:
        return {}
    waits = {f"wait_{wait}_us": ns / 1000 for wait, ns in node.charges.waits.items()}
    return {"cpu_us": node.charges.cpu_ns / 1000, **waits}


def _counters(thread: Thread, pid: int, name: str) -> Iterator[_Event]:
    """A track for each kind of time that the thread has; it changes where the context does."""
    charges = thread.charges or NONE
    kinds = ["cpu"] * bool(charges.cpu_ns) + [*charges.waits]
    before = dict.fromkeys(kinds, 0)
    now = 0
    for node, entering in paths(thread.root):
        if entering:
            continue
        own = node.charges or NONE
        if own.ns:
            shares = {kind: round(100 * own.of(kind) / own.ns) for kind in kinds}
            for kind in kinds:
                if shares[kind] != before[kind]:
                    yield _counter(pid, f"{name}: {kind} %", now, shares[kind])
            before = shares
        now += max(node.self_ns, 0)
    for kind in kinds:
        yield _counter(pid, f"{name}: {kind} %", now, 0)


def _counter(pid: int, name: str, now: int, value: int) -> _Event:
    return {"ph": "C", "name": name, "pid": pid, "ts": now / 1000, "args": {"percent": value}}


def _steps(process: Process, rows: Iterable[StepRow]) -> Iterator[_Event]:
    """Marks, and steps on as many tracks as they need not to overlap but where they nest."""

    def start(row: StepRow) -> int:
        return max(row.start_ns - process.started_monotonic_ns, 0)

    steps = [(start(row), start(row) + (row.elapsed_ns or 0), row) for row in rows]
    steps.sort(key=lambda it: (it[0], -it[1]))
    runs = [(begin, end) for begin, end, row in steps if row.kind == "step"]
    lanes = lanes_of(runs)
    tids: set[int] = set()
    for begin, end, row in steps:
        tid = _STEPS_TID - (next(lanes) if row.kind == "step" else 0)
        if tid not in tids:
            tids.add(tid)
            number = f" {_STEPS_TID - tid + 1}" if tid < _STEPS_TID else ""
            yield _name("thread_name", process.pid, tid, f"steps{number}")
        event: _Event = {"name": whole(row.name), "cat": row.kind, "pid": process.pid, "tid": tid}
        if row.kind == "step":
            yield {**event, "ph": "X", "ts": begin / 1000, "dur": (end - begin) / 1000}
        else:
            value = whole(str(row.value))
            yield {**event, "ph": "i", "s": "t", "ts": begin / 1000, "args": {"value": value}}
