# SPDX-License-Identifier: Apache-2.0
"""Chrome's trace events in JSON, which ui.perfetto.dev opens ("Trace Event Format", Google, 2016).

Threads show their call tree: each node once, its children one after the other, then its own time.
Steps and marks, on tracks of their own, stand where they were. Times are microseconds.
"""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from pyusdt.recording import Process, Recording, Thread
from pyusdt.recording.tree import paths
from pyusdt.report.options import Options

_STEPS_TID = 2**31 - 1  # no thread of Linux has it
_Event = dict[str, Any]


def write(recording: Recording, out: BinaryIO, _options: Options) -> None:
    """Write all processes, their threads, steps and marks."""
    events = [*_names(recording)]
    pids = {process.id: process.pid for process in recording.processes}
    for number, thread in enumerate(recording.threads):
        events += _calls(recording, thread, pids[thread.process], number + 1)
    for process in recording.processes:
        events += _steps(recording, process)
    document = {"traceEvents": events, "displayTimeUnit": "ns"}
    out.write(json.dumps(document, ensure_ascii=False).encode())


def _names(recording: Recording) -> Iterator[_Event]:
    pids = {process.id: process.pid for process in recording.processes}
    for process in recording.processes:
        yield _name("process_name", process.pid, 0, process.command or f"process {process.pid}")
        if recording.step_rows.get(process.id):
            yield _name("thread_name", process.pid, _STEPS_TID, "steps")
    for number, thread in enumerate(recording.threads):
        name = f"{thread.name or 'thread'} ({thread.tid})"
        yield _name("thread_name", pids[thread.process], number + 1, name)


def _name(kind: str, pid: int, tid: int, name: str) -> _Event:
    return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": {"name": name}}


def _calls(recording: Recording, thread: Thread, pid: int, tid: int) -> Iterator[_Event]:
    """A begin and an end for each node: of complete events the ends would be sums of fractions, cut
    to whole ns by the reader, and a child could end after its caller. `tid` is the thread's place
    in the recording, not the kernel's number, which comes again."""
    now = 0
    for node, entering in paths(thread.root):
        if not entering:
            now += max(node.self_ns, 0)
            yield {"ph": "E", "pid": pid, "tid": tid, "ts": now / 1000}
            continue
        record = recording.records[node.function]
        yield {
            "ph": "B",
            "name": record.label,
            "cat": "function",
            "pid": pid,
            "tid": tid,
            "ts": now / 1000,
            "args": {
                "calls": node.calls,
                "resumes": node.resumes,
                "errors": node.errors,
                "self_us": node.self_ns / 1000,
                "where": f"{record.file}:{record.line}",
            },
        }


def _steps(recording: Recording, process: Process) -> Iterator[_Event]:
    for name, kind, _, start_ns, elapsed_ns, value in recording.step_rows.get(process.id, ()):
        when = (start_ns - process.started_monotonic_ns) / 1000
        event: _Event = {"name": name, "cat": kind, "pid": process.pid, "tid": _STEPS_TID}
        if kind == "step":
            yield {**event, "ph": "X", "ts": max(when, 0), "dur": (elapsed_ns or 0) / 1000}
        else:
            yield {**event, "ph": "i", "s": "t", "ts": max(when, 0), "args": {"value": str(value)}}
