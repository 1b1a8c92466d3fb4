# SPDX-License-Identifier: Apache-2.0
"""What a recording is made of: the functions, the processes, and the threads with their trees."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pyusdt.recording.charges import Charges
from pyusdt.recording.tree import Node

KILLED = "killed"
"""The reason of a process that is gone and has written no end."""


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

    @property
    def is_c(self) -> bool:
        """Whether it is a function in C. What stands for other functions is none."""
        return not (self.file or self.line or (not self.module and self.qualname[:1] == "("))


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
    forked: bool = False
    """By os.fork, so that it runs the program of its parent."""
    flush_ns: int = 0
    """How often it was to flush; 0: at its end only."""
    sampled: bool = False
    """A sampler ran: CPU time and waits are known."""
    times: str = "exact"
    """Or "sampled": all times but those of whole threads are the sampler's."""
    kernel: str | None = None
    """Whether the kernel's account was recorded: None: no; "": yes; else why it is not whole."""
    paths: tuple[str, ...] = ()
    """Where it imported from, and its working directory."""
    memory: str | None = None
    """What is known of what it allocated: None: nothing; "python": what Python's allocators handed
    out; "all": native memory too; "sampled": samples of all, or "python, sampled"."""


@dataclass(frozen=True)
class Thread:
    """A thread. `process` is that of `Process.id`; `tree` is its call tree, or makes it.

    `count` is more than 1 where a report shows several threads of one name as one.
    """

    process: int
    index: int
    tid: int
    name: str
    elapsed_ns: int
    tree: Node | Callable[[], Node]
    count: int = 1
    charges: Charges | None = None
    """Of the whole thread; None: no sampler ran."""

    @cached_property
    def root(self) -> Node:
        """What stands above its first functions. Raises UserError where it is made only now, and
        the recording is damaged."""
        return self.tree if isinstance(self.tree, Node) else self.tree()
