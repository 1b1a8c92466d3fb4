# SPDX-License-Identifier: Apache-2.0
"""What the core has counted of memory that lives: rows of include/pyusdt_counts.h."""

from typing import NamedTuple


class CountedLiving(NamedTuple):
    """What lives of a place, of what was allocated in a period."""

    serial: int
    """This and the next three as in `CountedMemory`."""
    node: int
    function: int
    line: int
    since: int
    """Ticks; 0: before all marks and steps."""
    bytes: int
    blocks: int


class CountedPoint(NamedTuple):
    """The end of a step, at which it was looked what is alive; as in `aging.PointRow`."""

    name: str
    iteration: int
    bytes: int
    changing: int


class CountedGrowth(NamedTuple):
    """What was alive of a place at a point."""

    serial: int
    node: int
    function: int
    line: int
    point: int
    bytes: int

    @property
    def key(self) -> tuple[int, int, int, int]:
        """The place."""
        return self[:4]
