# SPDX-License-Identifier: Apache-2.0
"""speedscope's own JSON (https://www.speedscope.app/file-format-schema.json), evented profiles.

A call tree knows how long, not when: each node is drawn once, its children one after the other and
then its own time.
"""

from typing import Any, BinaryIO

from pyusdt.recording import Recording, Thread
from pyusdt.recording.tree import paths
from pyusdt.report import depth
from pyusdt.report.names import json_text, whole
from pyusdt.report.options import Options


def write(recording: Recording, out: BinaryIO, _options: Options) -> None:
    """Write a profile for each thread that called anything."""
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
        "profiles": [_profile(recording, thread) for thread in threads],
    }
    out.write(json_text(document).encode())


def _profile(recording: Recording, thread: Thread) -> dict[str, Any]:
    events = []
    now = 0
    for node, entering in paths(thread.root):
        if not entering:
            now += max(node.self_ns, 0)
        events.append({"type": "O" if entering else "C", "frame": node.function, "at": now})
    return {
        "type": "evented",
        "name": whole(recording.thread_label(thread)),
        "unit": "nanoseconds",
        "startValue": 0,
        "endValue": now,
        "events": events,
    }
