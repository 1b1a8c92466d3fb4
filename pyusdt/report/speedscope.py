# SPDX-License-Identifier: Apache-2.0
"""speedscope's own JSON (https://www.speedscope.app/file-format-schema.json), evented profiles.

A call tree knows how long, not when: each node is drawn once, its children one after the other and
then its own time.
"""

from collections.abc import Callable
from typing import Any, BinaryIO

from pyusdt.recording import Node, Recording, Thread
from pyusdt.recording.tree import paths
from pyusdt.report import depth, weights
from pyusdt.report.names import json_text, whole
from pyusdt.report.options import Options

_MEASURED = ("wall",)
_CHARGED = ("cpu", "wall", "wait")
_MEMORY = ("peak", "allocated", "live")


def write(recording: Recording, out: BinaryIO, _options: Options) -> None:
    """Write a profile for each thread that called anything; where a sampler ran, one of its CPU
    time, one of its wall time and one of its waits; where memory was recorded, one of what it had
    at the peak, allocated, and has alive."""
    recording = depth.cut(recording)
    threads = [thread for thread in recording.threads if thread.root.children]
    document = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": "pyusdt",
        "name": whole(recording.path or "recording"),
        "activeProfileIndex": 0,
        "shared": {
            "frames": [
                {"name": whole(record.label), "file": whole(record.file), "line": record.line}
                for record in recording.records
            ]
        },
        "profiles": [
            profile
            for thread in threads
            for weight in _weights(recording, thread)
            if (profile := _profile(recording, thread, weight))["events"]
        ],
    }
    out.write(json_text(document).encode())


def _weights(recording: Recording, thread: Thread) -> tuple[str, ...]:
    memory = _MEMORY if "memory" in recording.known else ()
    return (*(_CHARGED if thread.charges else _MEASURED), *memory)


def _profile(recording: Recording, thread: Thread, weight: str) -> dict[str, Any]:
    """The calling contexts that have time of that kind, or have it below them."""
    own = weights.of(weight)
    chosen = None if weight == "wall" else _with_callers(thread.root, own)
    events = []
    now = 0
    for node, entering in paths(thread.root):
        if chosen is not None and id(node) not in chosen:
            continue
        if not entering:
            now += own(node)
        events.append({"type": "O" if entering else "C", "frame": node.function, "at": now})
    name = whole(recording.thread_label(thread))
    return {
        "type": "evented",
        "name": f"{name}: {weight}" if len(_weights(recording, thread)) > 1 else name,
        "unit": "bytes" if weight in _MEMORY else "nanoseconds",
        "startValue": 0,
        "endValue": now,
        "events": events,
    }


def _with_callers(root: Node, own: Callable[[Node], int]) -> set[int]:
    """The ids of the nodes that have a weight, and of all above them."""
    found: set[int] = set()
    path: list[int] = []
    for node, entering in paths(root):
        if not entering:
            path.pop()
            continue
        path.append(id(node))
        if own(node):
            for above in reversed(path):
                if above in found:
                    break
                found.add(above)
    return found
