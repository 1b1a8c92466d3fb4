# SPDX-License-Identifier: Apache-2.0
"""The tables of a tool's answer, for people and as JSON."""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from pyusdt.report.text import duration, number, printable, share
from pyusdt.tracing.answer import Function, Maps, Row, rows
from pyusdt.tracing.tools import Column, Table, Tool

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_MOST = 20
_HISTOGRAMS = 5
_BAR, _BEFORE_BAR = 30, 35
_NAME_LEAST = 28
_GAP = 2
_WORDS_THAT_GIVE_WAY = {"from": 15, "mode": 4}
_LONGEST_NAME = 4 * 64


class Answer(NamedTuple):
    """All that a tool has counted."""

    name: str
    tool: Tool
    maps: Maps
    seconds: float


def as_json(answer: Answer) -> str:
    """One document with all rows."""
    tables = [
        {
            "title": table.title or answer.name,
            "rows": [_object(table, row, answer.seconds) for row in found],
        }
        for table, found in _tables(answer)
    ]
    document = {"tool": answer.name, "seconds": round(answer.seconds, 3), "tables": tables}
    return json.dumps(document, indent=2)


def _tables(answer: Answer) -> Iterator[tuple[Table, list[Row]]]:
    for table in answer.tool.tables:
        yield table, rows(table, answer.tool, answer.maps)


def _object(table: Table, row: Row, seconds: float) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for column in table.columns:
        value = row.figures.get(column.name, 0)
        unit = "_ns" if column.unit == "ns" else ""
        item[column.name + unit] = round(value)
        if column.rate and seconds:
            item[f"{column.name}_per_second"] = round(value / seconds, 3)
    item.update(row.labels)
    if row.text:
        item["text"] = row.text
    places = [function._asdict() for function in row.functions]
    if places:
        item["function"], callers = places[0], places[1:]
        if callers:
            item["callers"] = callers
    if row.histogram:
        item["histogram"] = [
            {"from_ns": round(low), "below_ns": round(high), "count": count}
            for (low, high), count in sorted(row.histogram.items())
        ]
    return item


def print_tables(answer: Answer, *, everything: bool) -> None:
    """Print the answer on stdout."""
    from pyusdt.report.console import console_on

    with console_on(sys.stdout.buffer) as console:
        render(console, answer, everything=everything)


def render(console: "Console", answer: Answer, *, everything: bool) -> None:
    """Print the answer; the machinery is summed up in one line, unless it is to be `everything`."""
    from rich.text import Text

    console.print(Text(f"{answer.name}  {duration(answer.seconds * 1e9)}", style="bold"))
    shown = [(table, found) for table, found in _tables(answer) if found]
    for table, found in shown:
        if table.title:
            console.print(Text(f"\n{table.title}", style="bold magenta"))
        _print_table(console, table, found, answer.seconds, everything)
    if not shown:
        console.print("nothing was counted")


def _print_table(
    console: "Console", table: Table, found: list[Row], seconds: float, everything: bool
) -> None:
    folded = [] if everything else [row for row in found if row.is_machinery]
    if len(folded) == len(found):
        folded = []
    shown = [row for row in found if row not in folded] if folded else found
    most = len(shown) if everything else _MOST
    first = table.columns[0].name
    whole = sum(row.figures.get(first, 0) for row in found)
    lines = [
        (_cells(table, row.figures, row.labels, whole, seconds), _name(row, _heading(table)))
        for row in shown[:most]
    ]
    for rest, what in ((shown[most:], "more"), (folded, "of Python's machinery")):
        if rest:
            lines.append((_cells(table, _sums(table, rest), {}, whole, seconds), _rest(rest, what)))
    console.print(_rich_table(console.width, _heading(table), lines))
    for row in shown[:_HISTOGRAMS]:
        if row.histogram:
            _print_histogram(console, row)


def _sums(table: Table, found: list[Row]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for column in table.columns:
        values = [row.figures.get(column.name, 0) for row in found]
        figures[column.name] = max(values) if column.longest else sum(values)
    return figures


def _rest(found: list[Row], what: str) -> "Text":
    from rich.text import Text

    return Text(f"({len(found):,} {what}: --all)", style="dim")


def _figure(column: Column, value: float) -> str:
    if not value:
        return ""
    if column.unit == "ns":
        return duration(value)
    return number(round(value))


class _Cell(NamedTuple):
    """One figure, or a word of the key."""

    title: str
    text: str
    gives_way: int
    """Cells with the highest number go first where there is no room; 0 stays."""
    is_word: bool = False


def _cells(
    table: Table,
    figures: dict[str, float],
    labels: dict[str, str | int],
    whole: float,
    seconds: float,
) -> list[_Cell]:
    cells: list[_Cell] = []
    for i, column in enumerate(table.columns):
        if any(cell.title == column.name for cell in cells):
            continue
        value = figures.get(column.name, 0)
        cells.append(_Cell(_title(column.name), _figure(column, value), 2 + i if i else 0))
        if not i:
            cells.append(_Cell("share", share(value, whole), 1))
        if column.rate:
            rate = _rate(value / seconds) if value and seconds else ""
            cells.append(_Cell(f"{_title(column.name)}/s", rate, 20 + i))
    if table.mean:
        over, under = (figures.get(name, 0) for name in table.mean)
        cells.append(_Cell("mean", duration(over / under) if under else "", 10))
    for name in table.key:
        if name not in ("module", "function", "caller", "before", "line", _heading(table)):
            gives_way = _WORDS_THAT_GIVE_WAY.get(name, 0)
            cells.append(_Cell(name, _word(labels.get(name, "")), gives_way, is_word=True))
    return cells


def _heading(table: Table) -> str:
    """Of the last column, which has the names."""
    return "function" if "function" in table.key else table.key[-1]


def _rate(value: float) -> str:
    """Three digits, or all of a whole number."""
    return number(round(value)) if value >= 100 else number(float(f"{value:.3g}"))


def _title(name: str) -> str:
    return name.replace("_", " ")


def _word(value: str | int) -> str:
    return printable(_readable(str(value)), _LONGEST_NAME)


def _readable(text: str) -> str:
    """A text that may have bytes that are no UTF-8."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _name(row: Row, heading: str = "") -> "Text":
    """A function with its place, its callers, and the text that goes with it; or what is counted in
    its place."""
    from rich.text import Text

    text = Text(_word(row.labels.get(heading, "")), "bold")
    for i, function in enumerate(row.functions):
        if i and function.qualname:
            text.append(" < ", style="dim")
        if not i or function.qualname:
            text.append(_qualname(function), style="" if i else "bold")
        if not i and function.module:
            line = row.labels.get("line", function.line)
            place = f"{_word(function.module)}:{line}" if line else _word(function.module)
            text.append(f"  {place}", style="dim cyan")
    if row.text:
        text.append(f"  {_word(_without_type(row))}", style="yellow")
    return text


def _without_type(row: Row) -> str:
    return row.text.removeprefix(str(row.labels.get("type", ""))).removeprefix(": ")


def _qualname(function: Function) -> str:
    return printable(function.qualname, _LONGEST_NAME) or "(no Python function)"


def _rich_table(width: int, heading: str, lines: list[tuple[list[_Cell], "Text"]]) -> Any:
    from rich.table import Table as RichTable

    kept = _kept(width, heading, lines)
    table = RichTable(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    heads = lines[0][0]
    for i in kept:
        table.add_column(
            heads[i].title, justify="left" if heads[i].is_word else "right", no_wrap=True
        )
    table.add_column(heading, overflow="fold")
    for cells, name in lines:
        table.add_row(*[cells[i].text for i in kept], name)
    return table


def _kept(width: int, heading: str, lines: list[tuple[list[_Cell], "Text"]]) -> list[int]:
    """Which cells there is room for beside the names."""
    heads = lines[0][0]
    widths = [
        max(len(heads[i].title), *(len(cells[i].text) for cells, _ in lines)) + _GAP
        for i in range(len(heads))
    ]
    longest = max(len(name.plain) for _, name in lines)
    kept = list(range(len(heads)))
    wanted = max(len(heading), min(longest, max(_NAME_LEAST, width // 2)))
    while sum(widths[i] for i in kept) + wanted > width:
        least = max(kept, key=lambda i: heads[i].gives_way)
        if not heads[least].gives_way:
            break
        kept.remove(least)
    return kept


def _print_histogram(console: "Console", row: Row) -> None:
    from rich.text import Text

    labels = ", ".join(f"{name} {_word(value)}" for name, value in row.labels.items())
    console.print(Text("\n"), _name(row) if row.functions else Text(labels, "bold"), sep="")
    bars = sorted(row.histogram.items())
    most = max(row.histogram.values())
    room = max(min(_BAR, console.width - _BEFORE_BAR), 1)
    for (low, high), count in bars:
        bar = "\N{FULL BLOCK}" * round(room * count / most)
        label = f"{duration(low) if low else '0'} - {duration(high)}"
        console.print(Text(f"  {label:>20}  {number(count):>9}  "), Text(bar, "cyan"), sep="")
