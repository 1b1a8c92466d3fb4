# SPDX-License-Identifier: Apache-2.0
"""Where a test has taken more than it may: short tables of plain text."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pyusdt.recording import CodeRecord, Recording
from pyusdt.recording.memory import MemoryFigures
from pyusdt.report.place import place, roots
from pyusdt.report.text import duration, number, printable

MOST_ROWS = 10
_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


class _Row(NamedTuple):
    amount: int
    """By which they are sorted."""
    n: int
    name: str
    where: str


def size(n: int) -> str:
    """Bytes with three digits and their unit: `24.1 MB`."""
    for factor, unit in _UNITS:
        if abs(n) >= 0.9995 * factor:
            value = n / factor
            decimals = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
            return f"{value:,.{decimals}f} {unit}"
    return f"{n} B"


def at_peak(recording: Recording) -> str:
    """What was alive at the peak, by function and line."""
    return _of_memory(recording, "alive at the peak", lambda it: (it.peak_bytes, it.peak_blocks))


def left_alive(recording: Recording) -> str:
    """What is alive at the end, by function and line."""
    return _of_memory(recording, "alive afterwards", lambda it: (it.live_bytes, it.live_blocks))


def by_function(recording: Recording) -> str:
    """Own time by function."""
    below = roots(recording)
    rows = [
        _Row(f.self_ns, f.calls + f.resumes, _name(f.record), place(f.record, below))
        for f in recording.functions
    ]
    return _table(("own time", "calls"), rows, duration)


def _of_memory(
    recording: Recording, head: str, figures: Callable[[MemoryFigures], tuple[int, int]]
) -> str:
    below, rows = roots(recording), []
    for it in recording.memory_rows:
        where = ""
        if it.line_record and it.line:
            where = place(it.line_record._replace(line=it.line), below)
        elif it.record:
            where = place(it.record, below)
        rows.append(_Row(*figures(it.figures), _name(it.record), where))
    return _table((head, "blocks"), [row for row in rows if row.amount or row.n], size)


def _name(record: CodeRecord | None) -> str:
    if record is None:
        return "(native)"
    return printable(record.qualname or record.name, 60) or "(nameless)"


def _table(heads: tuple[str, str], rows: Sequence[_Row], shown: Callable[[int], str]) -> str:
    """The rows with the most, and what the others have together; so too what is next to nothing."""
    rows = sorted(rows, key=lambda row: row.amount, reverse=True)
    n = sum(row.amount * 1000 >= rows[0].amount for row in rows[:MOST_ROWS])
    rows, rest = rows[:n], rows[n:]
    if rest:
        amount, count = sum(row.amount for row in rest), sum(row.n for row in rest)
        rows.append(_Row(amount, count, f"({len(rest):,} more)", ""))
    width = max((len(row.name) for row in rows), default=0)
    lines = [f"{heads[0]:>17}  {heads[1]:>9}  {'function':{width}}  place"]
    for row in rows:
        cells = f"{shown(row.amount):>17}  {number(row.n):>9}  {row.name:{width}}  {row.where}"
        lines.append(cells.rstrip())
    return "\n".join(lines)
