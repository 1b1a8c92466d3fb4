# SPDX-License-Identifier: Apache-2.0
"""What a recording says of memory that lives: since when, and what grows."""

from collections.abc import Mapping
from functools import cached_property

from pyusdt.recording import lived
from pyusdt.recording.lived import Aged, Growth, LivingPlace
from pyusdt.recording.records import CodeRecord
from pyusdt.recording.snapshot import StepRow


class OfAge:
    """The part of `Recording` that is about it; see there."""

    records: list[CodeRecord]
    step_rows: Mapping[int, list[StepRow]]
    aged: Aged

    def living_since(
        self, since: str | int = 0, until: str | int | None = None
    ) -> list[LivingPlace]:
        """What was allocated from one moment until another (None: the end) and lives at the end, by
        function and line: those with the most first. A moment is the name of a mark, of which the
        last one counts, or ns on CLOCK_MONOTONIC, as `start_ns` of steps; 0 is the beginning.

        What counts is allocated in periods that begin in that time: of the first 256 beginnings and
        ends of steps and of 2,000 marks, each begins one. Of more steps, so does every fourth
        beginning or end and so on, and what was allocated before the next one is not in it.
        Raises ValueError where there is no such mark.
        """
        rows = [row for some in self.step_rows.values() for row in some]
        first, last = (
            lived.moment_of(rows, it) if isinstance(it, str) else it for it in (since, until)
        )
        return lived.living_places(self.records, self.aged.living, first or 0, last)

    @cached_property
    def growth(self) -> list[Growth]:
        """What grows from one step of a name to the next, such as one of `pyusdt.steps()`, by
        function and line: bytes alive at its ends. Those that certainly grow come first
        (`Growth.grows`), the fastest first. Empty without steps, and where those of a name were
        fewer than about 20."""
        return lived.growth_of(self.records, self.aged.points, self.aged.grown)
