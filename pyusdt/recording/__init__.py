# SPDX-License-Identifier: Apache-2.0
"""Recordings: what the recorder saw, in one SQLite file, and the object that reports read.

`write` puts a snapshot of a process into a file, `load` reads one back as a `Recording`, and
`Recording.from_snapshot` makes the same object without a file.
"""

from pyusdt.recording.aggregate import Function, Step
from pyusdt.recording.charges import Charges
from pyusdt.recording.model import Recording
from pyusdt.recording.reader import load
from pyusdt.recording.records import CodeRecord, Process, Thread
from pyusdt.recording.snapshot import Snapshot
from pyusdt.recording.tree import Node
from pyusdt.recording.writer import write

__all__ = [
    "Charges",
    "CodeRecord",
    "Function",
    "Node",
    "Process",
    "Recording",
    "Snapshot",
    "Step",
    "Thread",
    "load",
    "write",
]
