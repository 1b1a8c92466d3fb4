# SPDX-License-Identifier: Apache-2.0
"""Figures of memory as people read them, and the columns of tables that have them.

A sampled figure rests on one sample in SAMPLE_BYTES, so that its size says how certain it is. What
is large is more certain than that.
"""

from operator import attrgetter

from pyusdt.memory import SAMPLE_BYTES, is_sampled
from pyusdt.recording import Recording
from pyusdt.recording.held import NATIVE, OUTSIDE
from pyusdt.recording.memory import NOTHING, MemoryFigures
from pyusdt.report.certainty import NOT_SEEN, figure, percentage
from pyusdt.report.columns import Cell, Column, Name
from pyusdt.report.text import COUNTS, SIZES, number, share, size

ELSEWHERE = {OUTSIDE: "(outside of functions)", NATIVE: "(native)"}
"""What stands where there is no function."""
_EXPORTED = (
    "allocated_bytes",
    "allocated_blocks",
    "live_bytes",
    "live_blocks",
    "peak_bytes",
    "peak_blocks",
    "temporary_bytes",
    "temporary_blocks",
    "biggest",
)
_NAMES = (*_EXPORTED[:-1], "biggest_block")
_figures = attrgetter(*_EXPORTED)
_BYTES = ("peak", "allocated", "live", "temporary")
_HEADINGS = {"peak": "at peak", "allocated": "allocated", "live": "live"}
# The higher the rank, the sooner a column is left out.
_RANKS = {"peak": 1, "allocated": 2, "live": 3, "temporary": 6, "blocks": 7, "biggest": 8}
_SHARE_RANK = 4


def columns(by: str) -> list[Column]:
    """Of what Amounts.cells() gives; what is sorted `by` is never left out."""
    found = [
        Column(_HEADINGS.get(name, name), 0 if name == by else rank)
        for name, rank in _RANKS.items()
    ]
    found.insert(_share_at(by), Column(f"of {by}", _SHARE_RANK))
    return found


def _share_at(by: str) -> int:
    return [*_RANKS].index(by) + 1


def elsewhere(index: int) -> Name:
    """The cell of one of ELSEWHERE."""
    why = "threads without Python" if index == NATIVE else ""
    return Name(ELSEWHERE[index], ((why, "dim"),))


def figure_of(figures: MemoryFigures, by: str) -> int:
    """One of the figures, by its name in order.MEMORY."""
    if by in ("blocks", "biggest"):
        return figures.allocated_blocks if by == "blocks" else figures.biggest
    value: int = getattr(figures, f"{by}_bytes")
    return value


def by_name(figures: MemoryFigures | None) -> dict[str, int]:
    """All figures, as JSON and CSV name them; zeros without any."""
    return dict(zip(_NAMES, _figures(figures or NOTHING), strict=True))


class Amounts:
    """How figures of this recording are written."""

    def __init__(self, recording: Recording) -> None:
        self.sampled = any(is_sampled(process.memory) for process in recording.processes)

    def bytes(self, n: int) -> str:
        """`12.3 MB`, or `~10 MB`"""
        return figure(n, looks(n), SIZES) if self.sampled else size(n)

    def blocks(self, n: int, n_bytes: int) -> str:
        """So many, with so many bytes together."""
        return figure(n, looks(n_bytes), COUNTS) if self.sampled else number(n)

    def biggest(self, n: int) -> str:
        """The largest that was seen is at most the largest."""
        if not self.sampled:
            return size(n)
        return f"≥{size(n)}" if n else NOT_SEEN

    def share(self, part: int, whole: int) -> str:
        """`40.1%`, or `~40%`"""
        return percentage(part, whole, looks(part)) if self.sampled else share(part, whole)

    def cells(self, figures: MemoryFigures, by: str, whole: int) -> list[Cell]:
        """Those of columns(). What they are sorted `by` has a share of `whole`."""
        found: list[Cell] = [self.bytes(figure_of(figures, name)) for name in _BYTES]
        found.append(self.blocks(figures.allocated_blocks, figures.allocated_bytes))
        found.append(self.biggest(figures.biggest))
        found.insert(_share_at(by), self.share(figure_of(figures, by), whole))
        return found


def looks(n_bytes: int) -> int:
    """The samples that so many bytes rest on."""
    return max(n_bytes // SAMPLE_BYTES, 1) if n_bytes else 0
