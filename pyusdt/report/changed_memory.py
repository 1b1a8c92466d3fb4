# SPDX-License-Identifier: Apache-2.0
"""The memory that changed between recordings, for the terminal."""

from rich.console import Console
from rich.text import Text

from pyusdt.compare_memory import MemoryChange, MemoryComparison
from pyusdt.report.changes import cells, growth, signed, verdict_of
from pyusdt.report.columns import Cell, Column, Name, Row, table
from pyusdt.report.text import number, printable, size

_HEADINGS = {"peak": "at peak", "allocated": "allocated", "live": "live", "blocks": "blocks"}
_BESIDE = (2,)


def print_changed_memory(console: Console, comparison: MemoryComparison, by: str, top: int) -> None:
    """Print the whole, and the first `top` functions that changed, the most first by one of
    compare_memory.FIGURES."""
    changed = [it for it in comparison.functions if any(c.delta for c in it.figures.values())]
    changed.sort(key=lambda it: (-abs(it.figures[by].delta), it.name))
    rows = [_row(it, by) for it in (comparison.whole, *changed[:top])]
    rows[0] = rows[0][0], Name("all functions", style="bold magenta")
    console.print(table(_columns(by), rows, "function", console.width, _BESIDE))
    if len(changed) > top:
        more = f"{len(changed) - top:,} more changed: --top {len(changed)}"
        console.print(Text(more, "dim"))


def memory_note(comparison: MemoryComparison) -> str:
    """The whole, in a line."""
    parts = []
    for figure in ("peak", "allocated", "live"):
        change = comparison.whole.figures[figure]
        _, before, after, part, _ = cells(change, size)
        parts.append(f"{_HEADINGS[figure]} {before} → {after}{f' ({part})' if part else ''}")
    return f"memory {', '.join(parts)}; by function: --memory"


def _columns(by: str) -> list[Column]:
    others = [figure for figure in _HEADINGS if figure != by]
    return [
        Column(_HEADINGS[by]),
        Column("before", 4),
        Column("after", 3),
        Column("", 1),
        Column("noise", 7),
        *(Column(_HEADINGS[figure], 5 + i) for i, figure in enumerate(others)),
        Column("", 0.5, left=True),
    ]


def _row(it: MemoryChange, by: str) -> Row:
    change = it.figures[by]
    others = (_other(it, figure) for figure in _HEADINGS if figure != by)
    state = Text(it.state, "yellow") if it.state else verdict_of(change)
    figures = cells(change, _count if by == "blocks" else size)
    beside = ((printable(it.module, 60), "dim cyan"),)
    name = printable(it.qualname, 100) or "(nameless)"
    return (*figures, *others, state), Name(name, beside)


def _other(it: MemoryChange, figure: str) -> Cell:
    change = it.figures[figure]
    if not change.delta:
        return ""
    return growth(change) if figure == "blocks" else signed(change, size)


def _count(value: float) -> str:
    """A mean of counts."""
    return number(round(value))
