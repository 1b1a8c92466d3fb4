# SPDX-License-Identifier: Apache-2.0
"""What a recording is made of: the functions, the processes, and the threads with their trees."""

from dataclasses import dataclass
from typing import NamedTuple

from pyusdt.recording.tree import Node


class CodeRecord(NamedTuple):
    """What is known about a function; `line` is that of its definition."""

    module: str
    qualname: str
    name: str
    file: str
    line: int

    @property
    def label(self) -> str:
        """`module:qualname`, or what there is of it."""
        name = self.qualname or self.name or "(nameless)"
        return f"{self.module}:{name}" if self.module else name


@dataclass(frozen=True, slots=True)
class Process:
    """A process that recorded. Times are ns: wall since 1970, or the monotonic clock."""

    id: int
    pid: int
    parent_pid: int = 0
    host: str = ""
    command: str = ""
    python: str = ""
    started_ns: int = 0
    started_monotonic_ns: int = 0
    updated_ns: int = 0
    ended_ns: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread; `root` stands above its first functions. `process` is that of `Process.id`."""

    process: int
    index: int
    tid: int
    name: str
    elapsed_ns: int
    root: Node
