# SPDX-License-Identifier: Apache-2.0
"""The lines of functions for the terminal: their source, and before each line what it took.

What takes less than 1 % of a function is left out but for two lines around what takes more.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from pyusdt.recording import Recording
from pyusdt.recording.lines import Line
from pyusdt.report.certainty import NOT_SEEN
from pyusdt.report.columns import Cell, Column, Cut, Row, table
from pyusdt.report.lines import LinedFunction, lined_functions
from pyusdt.report.options import Options
from pyusdt.report.place import place, roots
from pyusdt.report.readings import Reading, sampled
from pyusdt.report.text import duration, number, printable, share

# The higher the rank, the sooner a column is left out. The source is cut before.
_COLUMNS = (
    Column("Line"),
    Column("Hits"),
    Column("Time"),
    Column("Per Hit", 5),
    Column("% Time"),
    Column("Self", 4),
    Column("CPU", 2),
    Column("Wait", 3),
    Column("Errors", 1),
)
_GAP: Row = (("...", *[""] * (len(_COLUMNS) - 1)), Cut(Text("")))
_NOTES = {
    "changed": ("the file has changed since: this is the text that was recorded", "yellow"),
    "now": ("the text was not recorded: this is that of the file now", "dim"),
    "missing": ("no text: none was recorded, and the file is not here, or not to be read", "dim"),
}
_AROUND = 2
_COLD = 100  # what is less than one part in so many of its function
_LONGEST = 1_000  # characters of a line
_MOST_COLOURED = 100_000  # characters of a function
_TAB = 8


def print_lines(console: Console, recording: Recording, options: Options) -> None:
    """Print the functions that are asked for, the hottest first."""
    functions = lined_functions(recording, options.lines or "", options.sort)
    below = roots(recording)
    for f in functions[: options.top]:
        if f is not functions[0] or "cpu" not in recording.known:  # else the header has ended so
            console.print()
        console.print(_heading(recording, f, place(f.record, below), console.width))
        print_state(console, f)
        rows = list(_rows(console, recording, f, full=options.full))
        there = [
            i
            for i in range(len(_COLUMNS))
            if any(str(row[i]) not in ("", NOT_SEEN) for row, _ in rows)
        ]
        cells: list[Row] = [([row[i] for i in there], source) for row, source in rows]
        console.print(table([_COLUMNS[i] for i in there], cells, "Source", console.width))
    hidden = len(functions) - len(functions[: options.top])
    if hidden:
        console.print(Text(f"{hidden:,} more functions: --top {len(functions)}", "dim"))


def print_state(console: Console, f: LinedFunction) -> None:
    """Where its text is from, where that is not the recording alone."""
    if f.state in _NOTES:
        console.print(Text(*_NOTES[f.state]))


def _heading(recording: Recording, f: LinedFunction, where: str, width: int) -> Text:
    figures = []
    if f.total_ns:
        figures.append(f"total {duration(f.total_ns)}")
    if "cpu" in recording.known:
        limit = f.self_ns if recording.times == "exact" else None
        readings = ((it, str(sampled(f.charges, it, limit))) for it in ("cpu", "wait"))
        figures += [f"{it} {text}" for it, text in readings if text != NOT_SEEN]
    return heading(f.record.label, where, ", ".join(figures), width)


def heading(name: str, where: str, figures: str, width: int) -> Text:
    """That of a function's lines; its figures have a line of their own where it is too long."""
    text = Text(printable(name, 100), "bold")
    text.append(f"  {where}" if where else "", "not bold dim")
    gap = "  " if text.cell_len + 2 + len(figures) <= width else "\n"
    return text.append(f"{gap}{figures}" if figures else "", "not bold")


def _rows(console: Console, recording: Recording, f: LinedFunction, *, full: bool) -> Iterator[Row]:
    numbers = f.numbers
    texts = dict(zip(numbers, source_texts(console, map(f.text, numbers)), strict=True))
    figures = {line.line: line for line in f.lines}
    shown = numbers if full else _hot(f, numbers)
    last = None
    for n in shown:
        if last is not None and n != last + 1:
            yield _GAP
        cells = _cells(recording, f, figures[n]) if n in figures else [""] * (len(_COLUMNS) - 1)
        yield (str(n), *cells), Cut(texts[n])
        last = n


def _hot(f: LinedFunction, numbers: list[int]) -> list[int]:
    figures: list[Callable[[Line], int]] = [lambda it: it.charges.ns, lambda it: it.errors]
    figures.append((lambda it: it.total_ns) if f.total_ns else lambda it: it.hits)
    return hot(numbers, f.record.line, ({it.line: of(it) for it in f.lines} for of in figures))


def hot(numbers: list[int], first: int, weights: Iterable[Mapping[int, int]]) -> list[int]:
    """Of these, the first line, those that matter by one of the weights, and what is around
    them."""
    found: set[int] = set()
    for weight in weights:
        whole = sum(weight.values())
        found |= {line for line, value in weight.items() if value and value * _COLD >= whole}
    around = {n + i for n in found for i in range(-_AROUND, _AROUND + 1)} | {first}
    return [n for n in numbers if n in around or {n - 1, n + 1} <= around]


def _cells(recording: Recording, f: LinedFunction, it: Line) -> list[Cell]:
    exact = recording.times == "exact"
    charges = it.charges
    looks = charges.looks("cpu") + charges.looks("wait")
    part = Reading(charges.ns, looks).of(f.charges.ns) if charges else ""
    return [
        number(it.hits),
        duration(it.total_ns) if f.total_ns else "",
        duration(it.total_ns / it.hits) if f.total_ns and it.hits else "",
        share(it.total_ns, f.total_ns) if f.total_ns else part,
        duration(it.self_ns) if f.total_ns else "",
        *(
            str(sampled(charges, measure, it.self_ns if exact else None)) if charges else ""
            for measure in ("cpu", "wait")
        ),
        Text(number(it.errors or None), "red"),
    ]


def source_texts(console: Console, source: Iterable[str]) -> list[Text]:
    """The texts of lines: without the indentation of the first, in colours where the terminal
    has them."""
    lines = [line[:_LONGEST].expandtabs(_TAB) for line in source]
    indent = _spaces(lines[0]) if lines else 0
    plain = [printable(line[min(indent, _spaces(line)) :], None) for line in lines]
    if not (console.is_terminal and console.color_system):
        return [Text(line) for line in plain]
    return _coloured(plain)


def _spaces(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _coloured(plain: list[str]) -> list[Text]:
    if sum(map(len, plain)) > _MOST_COLOURED:
        return [Text(line) for line in plain]
    syntax = Syntax("", "python", theme="ansi_dark", background_color="default")
    styled = syntax.highlight("\n".join(plain)).split("\n", allow_blank=True)
    if [line.plain for line in styled[: len(plain)]] != plain:
        return [Text(line) for line in plain]
    return list(styled[: len(plain)])
