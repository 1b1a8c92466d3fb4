# SPDX-License-Identifier: Apache-2.0
"""Folded stacks: `thread;function;function own-nanoseconds`, as Brendan Gregg's flamegraph.pl and
everything since reads them (https://github.com/brendangregg/FlameGraph)."""

from typing import BinaryIO

from pyusdt.recording import Recording
from pyusdt.recording.tree import paths
from pyusdt.report import depth
from pyusdt.report.options import Options
from pyusdt.report.text import printable


def frame(text: str) -> str:
    """`text` as a frame: one line, no semicolon, never empty."""
    return printable(text).replace(";", ",").strip() or "(nameless)"


def write(recording: Recording, out: BinaryIO, _options: Options) -> None:
    """One line for each calling context that has time of its own."""
    lengths = [len(frame(record.label).encode()) + 1 for record in recording.records]
    recording = depth.cut_to_size(recording, lengths.__getitem__)
    frames = [frame(record.label) for record in recording.records]
    for thread in recording.threads:
        stack = [frame(recording.thread_label(thread))]
        for node, entering in paths(thread.root):
            if not entering:
                stack.pop()
                continue
            stack.append(frames[node.function])
            if node.self_ns > 0:
                out.write(f"{';'.join(stack)} {node.self_ns}\n".encode())
