# SPDX-License-Identifier: Apache-2.0
"""Folded stacks: `thread;function;function weight`, as Brendan Gregg's flamegraph.pl and everything
since reads them (https://github.com/brendangregg/FlameGraph). A weight is own: ns, bytes, blocks.
"""

from typing import BinaryIO

from pyusdt.recording import Recording
from pyusdt.recording.held import NATIVE
from pyusdt.recording.tree import paths
from pyusdt.report import depth, weights
from pyusdt.report.amounts import ELSEWHERE
from pyusdt.report.options import Options
from pyusdt.report.text import printable


def frame(text: str) -> str:
    """`text` as a frame: one line, no semicolon, never empty."""
    return printable(text).replace(";", ",").strip() or "(nameless)"


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """One line for each calling context that has such time of its own. What a thread did outside of
    all functions is its own line."""
    weight = weights.of(options.weight)
    lengths = [len(frame(record.label).encode()) + 1 for record in recording.records]
    recording = depth.cut_to_size(recording, lengths.__getitem__)
    frames = [frame(record.label) for record in recording.records]
    for thread in recording.threads:
        stack = [frame(recording.thread_label(thread))]
        if options.weight != "wall" and (ns := weight(thread.root)):
            out.write(f"{stack[0]} {ns}\n".encode())
        for node, entering in paths(thread.root):
            if not entering:
                stack.pop()
                continue
            stack.append(frames[node.function])
            if ns := weight(node):
                out.write(f"{';'.join(stack)} {ns}\n".encode())
    native = recording.memory_by_function.get(NATIVE)
    if native and options.weight in weights.MEMORY:
        n = getattr(native, weights.MEMORY[options.weight])
        out.write(f"{ELSEWHERE[NATIVE]} {n}\n".encode() if n else b"")
