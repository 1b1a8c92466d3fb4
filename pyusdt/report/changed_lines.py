# SPDX-License-Identifier: Apache-2.0
"""The lines that changed between recordings, for the terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pyusdt.compare_lines import LineChange, LinesChange
from pyusdt.report.annotated import heading, source_texts
from pyusdt.report.certainty import NOT_SEEN
from pyusdt.report.changes import WAITS, cells, counts, growth, signed, verdict_of
from pyusdt.report.columns import Cell, Column, Cut, Row, table
from pyusdt.report.place import place
from pyusdt.report.text import printable

# The higher the rank, the sooner a column is left out. The source is cut before.
_HITS = (Column("line"), Column("hits"))
_TIMED = (
    Column("line"),
    Column("self"),
    Column("before", 4),
    Column("after", 3),
    Column("", 1),
    Column("noise", 7),
    Column("per hit", 5),
    Column("hits", 2),
    Column("", 0.5, left=True),
)
_CHARGED = (Column("line"), Column("cpu"), *_TIMED[2:7], Column("wait", 4.5), *_TIMED[7:])
_NAMED = 3  # functions in a note


def print_changed_lines(
    console: Console, changes: Sequence[LinesChange], below: Sequence[str], top: int
) -> None:
    """Print the first `top` functions that have lines which changed, and what is not compared.
    `below` are directories that places are below of."""
    changed = [it for it in changes if it.changed or any(it.n_rest)]
    for i, it in enumerate(changed[:top]):
        if i:
            console.print()
        console.print(_heading(it, below, console.width))
        console.print(_table(console, it))
    if not changed:
        console.print(Text("no line changed", "dim"))
    if len(changed) > top:
        more = f"{len(changed) - top:,} more functions changed: --top {len(changed)}"
        console.print(Text(more, "dim"))
    if any(it.rest and it.rest.own is None for it in changes):
        note = "not all recordings have times of lines (--times sampled): hits alone are compared"
        console.print(Text(note, "dim"))
    for note in _not_compared(changes):
        console.print(Text(note, "dim"))


def _heading(it: LinesChange, below: Sequence[str], width: int) -> Text:
    own = it.function.own
    _, before, after, part, _ = cells(own)
    figure = "self" if own is it.function.self_ns else "cpu"
    where = place(it.record, below) if it.record else ""
    seen = {before, after} != {NOT_SEEN}
    figures = f"{figure} {before} → {after}  {part}" if seen else ""
    return heading(it.name, where, figures, width)


def _table(console: Console, it: LinesChange) -> Table:
    lines = it.changed
    texts = source_texts(console, [it.definition, *(line.text for line in lines)])[1:]
    rows: list[Row] = [
        (_cells(line, waits=it.function.waits), Cut(text))
        for line, text in zip(lines, texts, strict=True)
    ]
    if it.rest and any(it.n_rest):
        what = Text(f"{it.n_rest[0]} → {it.n_rest[1]} other lines", "magenta")
        figures = _cells(it.rest, waits=it.function.waits)
        rows.append((["", *figures[1:]], Cut(what)))
    return table(_columns(it), rows, "source", console.width)


def _columns(it: LinesChange) -> Sequence[Column]:
    if not it.rest or it.rest.own is None:
        return _HITS
    return _TIMED if it.rest.cpu_ns is None else _CHARGED


def _cells(line: LineChange, *, waits: bool) -> list[Cell]:
    before, after = line.numbers
    numbers = str(after) if before == after else f"{before} → {after}"
    hits = counts(line.hits)
    if line.own is None:
        return [numbers, hits]
    more: list[Cell] = [growth(line.own.per(line.hits))]
    if line.wait_ns is not None:
        more.append(signed(line.wait_ns) if line.wait_ns.delta else "")
    return [numbers, *cells(line.own), *more, hits, WAITS if waits else verdict_of(line.own)]


def _not_compared(changes: Sequence[LinesChange]) -> Iterator[str]:
    """A line for each reason."""
    reasons: dict[str, list[str]] = {}
    for it in changes:
        if it.why:
            reasons.setdefault(it.why, []).append(printable(it.name, 60))
    for why, names in reasons.items():
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        yield f"not compared: {', '.join(names[:_NAMED])}{more} ({why})"
