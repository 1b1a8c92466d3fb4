# SPDX-License-Identifier: Apache-2.0
"""Runs as the core would leave them: parts of any processes, whole or wrong, beside their file."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyusdt.recording import Snapshot, run
from pyusdt.recording.pack import pack
from pyusdt.recording.parts import FRAME, PROCESS
from pyusdt.recording.treerows import totals_of_nodes
from pyusdt.rundir import RunDirectory

MAGIC = 0x35705950
BEGIN, BASE, BEFORE, COUNTS, CHANGES, END, STARTED = range(1, 8)
SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND


def frame(kind: int, payload: bytes = b"", moment: int = NOW, size: int | None = None) -> bytes:
    """A frame whose checksums are right, whatever size it claims."""
    size = len(payload) if size is None else size
    head = FRAME.pack(MAGIC, kind, size, moment, zlib.crc32(payload), 0)[:-4]
    return head + zlib.crc32(head).to_bytes(4, "little") + payload


def beginning(
    token: str = "a" * 32,
    *,
    pid: int = 5_000_000,  # none is so large
    started_ns: int = NOW - SECOND,
    monotonic_ns: int = SECOND,
    about: Mapping[str, Any] | None = None,
) -> bytes:
    """The frame that a part begins with."""
    process = PROCESS.pack(token.encode(), b"", pid, 1, started_ns, monotonic_ns)
    return frame(BEGIN, process + json.dumps({"host": "h", **(about or {})}).encode())


def counts_of(snapshot: Snapshot) -> bytes:
    """What the core would have counted, in a process whose clock ticks in ns."""
    if not snapshot.totals:
        snapshot.totals = totals_of_nodes(snapshot.nodes)
    return pack(snapshot, list(range(1, len(snapshot.threads) + 1)))


def part(snapshot: Snapshot, why: str = "exit", **options: Any) -> bytes:
    """A part that is whole."""
    return beginning(**options) + frame(COUNTS, counts_of(snapshot)) + frame(END, why.encode())


def leave(path: Path, *parts: bytes) -> RunDirectory:
    """Begin a run to the file at `path`, and leave these parts."""
    it, _ = run.begin(str(path))
    for number, content in enumerate(parts):
        put(it, content, number)
    return it


def put(it: RunDirectory, content: bytes, number: int = 0) -> Path:
    """Put a part into the directory of a run."""
    place = Path(it.directory, f"{number}.part")
    place.write_bytes(content)
    return place
