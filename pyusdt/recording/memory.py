# SPDX-License-Identifier: Apache-2.0
"""What was allocated, and what of it was alive."""

from collections.abc import Iterable
from functools import reduce
from operator import add, sub
from typing import NamedTuple


class MemoryFigures(NamedTuple):
    """What was allocated at a place. A block is that of what allocated it, whoever frees it."""

    allocated_bytes: int
    allocated_blocks: int
    freed_bytes: int
    freed_blocks: int
    temporary_bytes: int
    """Of what was freed: by the call that had allocated it."""
    temporary_blocks: int
    peak_bytes: int
    """Alive when the whole process had the most alive."""
    peak_blocks: int
    biggest: int
    """Block, in bytes."""

    @property
    def live_bytes(self) -> int:
        """What is allocated and not freed."""
        return self.allocated_bytes - self.freed_bytes

    @property
    def live_blocks(self) -> int:
        return self.allocated_blocks - self.freed_blocks

    def plus(self, other: "MemoryFigures") -> "MemoryFigures":
        sums = map(add, self[:8], other[:8])
        return MemoryFigures._make((*sums, max(self.biggest, other.biggest)))

    def since(self, before: "MemoryFigures") -> "MemoryFigures":
        """Without what was allocated and freed until then. What was alive then is in neither, but
        for the peak, of which so much may be it."""
        return MemoryFigures._make((*map(sub, self[:6], before[:6]), *self[6:]))


class ResidentRow(NamedTuple):
    """What a process had in RAM at a moment."""

    at_ns: int
    """CLOCK_MONOTONIC."""
    rss_bytes: int
    swap_bytes: int
    """Of a while ago."""
    peak_bytes: int
    """The most in RAM since the process began, at other moments too."""


class MemoryRow(NamedTuple):
    """What was allocated in a context, while the program stood at a line."""

    thread: int
    """-1: none that was recorded."""
    node: int
    """-1: only the function is known, or the thread: its context was given up."""
    function: int
    """-1: the thread itself, outside of all functions."""
    line: int
    """0: not known."""
    line_function: int
    """Of which the line is: the function, or, where that is in C, what called it; -1: not known."""
    figures: MemoryFigures

    @property
    def key(self) -> tuple[int, int, int, int, int]:
        """All that it is of."""
        return self[:5]


class StepMemory(NamedTuple):
    """The memory of a step, in bytes. It is that of all threads: who has allocated while the step
    ran is not asked."""

    rss_start_bytes: int
    """In RAM when it started, or up to 1 ms before."""
    rss_end_bytes: int
    allocated_bytes: int
    freed_bytes: int
    """Of what was allocated since memory is recorded."""
    peak_bytes: int | None
    """The most that was alive within, of the same; None: not known."""


NOTHING = MemoryFigures(0, 0, 0, 0, 0, 0, 0, 0, 0)


def total(figures: Iterable[MemoryFigures]) -> MemoryFigures:
    """The sum of them all."""
    return reduce(MemoryFigures.plus, figures, NOTHING)
