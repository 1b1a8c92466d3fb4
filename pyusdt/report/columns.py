# SPDX-License-Identifier: Apache-2.0
"""Tables that fit the terminal: what has the highest rank is left out first, names are never cut.

Every table for people is made here. Columns of figures stand whole or not at all. The last column
has the names; beside a name stands what there is room for, cut at its beginning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

_GAP = 2
_LEAST_NAME = 30  # cells; a share of a wide terminal, see _wanted()
_LEAST_CUT = 28
_LEAST_BESIDE = 16  # what is cut to less says nothing


@dataclass(frozen=True, slots=True)
class Column:
    """Figures, or short texts. Rank 0 is never left out."""

    heading: str
    rank: float = 0
    left: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """What the last column has. `beside` are texts with their styles, those that say most first;
    `guide` has two cells for each level of a tree, and stands before the name."""

    text: str
    beside: tuple[tuple[str, str], ...] = ()
    guide: str = ""
    style: str = "bold"
    below: Text | None = None
    """Further lines."""

    def cells(self, n_beside: int) -> int:
        """The room that it takes with so much beside it."""
        texts = [text for text, _ in self.beside[:n_beside] if text]
        name = len(self.guide) + cell_len(self.text)
        return name + sum(_GAP + cell_len(text) for text in texts)

    def fitted(self, room: int) -> Text:
        """The whole name, over several lines if it must be, and what fits beside it."""
        guide = _guide(self.guide, room * 2 // 5)
        name = self.text
        if guide:  # else the table itself wraps it
            name = f"\n{' ' * len(guide)}".join(_chopped(name, room - len(guide)))
        line = Text(guide, "dim").append(name, self.style)
        room -= len(guide) + cell_len(self.text)
        for text, style in self.beside:
            text = _end_of(text, room - _GAP)
            if text:
                line.append(" " * _GAP).append(text, style)
                room -= _GAP + cell_len(text)
        return line.append("\n").append_text(self.below) if self.below else line


@dataclass(frozen=True, slots=True)
class Cut:
    """What the last column has where it need not be whole: it is cut at its end."""

    text: Text

    def cells(self, _: int) -> int:
        """The room that it must have."""
        return min(self.text.cell_len, _LEAST_CUT)

    def fitted(self, room: int) -> Text:
        """What of it there is room for."""
        text = self.text.copy()
        text.truncate(room, overflow="ellipsis")
        return text


def _chopped(text: str, room: int) -> list[str]:
    lines = [""]
    for character in text:
        if lines[-1] and cell_len(lines[-1] + character) > room:
            lines.append("")
        lines[-1] += character
    return lines


def _guide(guide: str, room: int) -> str:
    """Where a tree is too deep for the guides of all levels, their number and the last of them."""
    if len(guide) <= room:
        return guide
    depth = f"{len(guide) // 2}…"
    return depth + guide[len(guide) - max(room - len(depth), 2) :]


def _end_of(text: str, room: int) -> str:
    """`text`, or its end where there is less room; "" where that would say nothing."""
    if cell_len(text) <= room:
        return text
    if room < _LEAST_BESIDE:
        return ""
    end = text[1 - room :]
    while cell_len(end) >= room:
        end = end[1:]
    return f"…{end}"


Cell = str | Text
Row = tuple[Sequence[Cell], Name | Cut]


def table(
    columns: Sequence[Column],
    rows: Sequence[Row],
    last: str,
    width: int,
    beside: Sequence[float] = (),
) -> Table:
    """A table of `rows`, `width` cells wide. `beside` are the ranks of what stands beside names:
    while more than that has to go, it is not counted with."""
    widths = [
        max([cell_len(column.heading), *(_cells(row[i]) for row, _ in rows)])
        for i, column in enumerate(columns)
    ]
    empty = {i for i in range(len(columns)) if not any(map(_cells, (row[i] for row, _ in rows)))}
    ranks = [inf if i in empty and c.rank else c.rank for i, c in enumerate(columns)]
    names = [name for _, name in rows]
    kept, room = list(range(len(columns))), width
    for limit in (None, *sorted({*ranks, *beside} - {0}, reverse=True)):
        kept = [i for i, rank in enumerate(ranks) if limit is None or rank < limit]
        n_beside = sum(limit is None or rank < limit for rank in beside)
        room = width - sum(widths[i] + _GAP for i in kept)
        if _wanted(names, n_beside, last, width) <= room:
            break
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for column in (columns[i] for i in kept):
        made.add_column(column.heading, justify="left" if column.left else "right", no_wrap=True)
    made.add_column(last, overflow="fold")
    for row, name in rows:
        made.add_row(*(row[i] for i in kept), name.fitted(room))
    return made


def _cells(cell: Cell) -> int:
    return cell_len(cell) if isinstance(cell, str) else cell.cell_len


def _wanted(names: Sequence[Name | Cut], n_beside: int, last: str, width: int) -> int:
    """What the longest needs, within bounds: one long name does not drive the figures out. Names
    themselves count for more than what stands beside them."""
    bare = max((name.cells(0) for name in names), default=0)
    longest = max((name.cells(n_beside) for name in names), default=0)
    bounded = (
        min(bare, max(_LEAST_NAME, width // 2)),
        min(longest, max(_LEAST_NAME, width * 2 // 5)),
    )
    return max(cell_len(last), *bounded)
