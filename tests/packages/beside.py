# SPDX-License-Identifier: Apache-2.0
"""memray and pyusdt look at the memory of one process: beside.py ORDER OUTPUT MEMRAY_OUTPUT

ORDER is in which they begin and end: of M and P, each twice. The output is JSON: the bytes and
blocks that pyusdt found alive at the line of texts() in known.py, and at the peak of all; whether a
mapping was counted at the end; and losses.
"""

from __future__ import annotations

import json
import mmap
import sys
import time
from contextlib import AbstractContextManager
from typing import Any

import known
import memray

import pyusdt
from pyusdt import libpyusdt as core

SIZE = 50_000_000


def counts_mappings() -> bool:
    """It does once the watcher has looked."""
    for _ in range(1000):
        before = core.allocated()[0]
        with mmap.mmap(-1, SIZE):
            if core.allocated()[0] - before >= SIZE:
                return True
        time.sleep(0.01)
    return False


def main(order: str, output: str, memray_output: str) -> None:
    rec = pyusdt.record(memory=True, lines="known")
    tools: dict[str, AbstractContextManager[Any]] = {
        "P": rec,
        "M": memray.Tracker(memray_output, trace_python_allocators=True),
    }
    for i, name in enumerate(order):
        if name in order[:i]:
            found = name == "P" and counts_mappings()
            tools[name].__exit__(None, None, None)
        else:
            tools[name].__enter__()
        if i == 1:
            counts_mappings()
            known.texts()
            known.temporary()
        if name == "P" and name in order[:i]:
            counted = found
    texts = [row.figures for row in rec.recording.memory_rows if row.figures.biggest == 10_033]
    (figures,) = [it for it in texts if it.allocated_blocks == 1000]
    result = {
        "texts": [figures.live_bytes, figures.live_blocks],
        "peak": rec.recording.memory_totals.peak_bytes,
        "counts": counted,
        "losses": rec.losses,
    }
    with open(output, "w") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
