# SPDX-License-Identifier: Apache-2.0
"""Shows the rows: on the terminal, and as Markdown."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

from bench.rows import Row
from bench.stats import Sample

# The columns, and their least widths on a terminal of 80.
WIDTHS = {"figure": 27, "value": 10, "peer": 10, "ratio": 5, "spread": 11, "target": 6, "met": 3}
RIGHT = frozenset({"value", "peer", "ratio"})
EXPLANATION = (
    "Values are the least of all rounds, in brackets the median. A ratio is that of the least "
    "values, its spread the middle half of the ratios within each round, whose sides ran in turn. "
    "Times are processor time; floor: the same probes, hit from a C loop; earlier: the package "
    "pyusdt 0.1.1 of PyPI. Profilers run from before the workload to its end; what they do before "
    "and after is not counted. What misses its target, or could not be measured, stays in the "
    "table, with the reason below it."
)


def show(rows: Sequence[Row], console: Console) -> None:
    """Print a small table for each case and unit, all alike; least values only."""
    for _, group in groupby((row for row in rows if not row.grid), key=heading):
        together = list(group)
        table = Table(box=None, padding=(0, 1, 0, 0), title=escape(heading(together[0])))
        table.title_justify = "left"
        for name, width in WIDTHS.items():
            side: JustifyMethod = "right" if name in RIGHT else "left"
            table.add_column(name, justify=side, min_width=width, header_style="dim")
        for row in together:
            table.add_row(*map(escape, cells(row, least)), style=style(row))
        console.print(table)
        console.print()
    for title, lines in grids(rows, lambda row: ratio_text(row, spread=False)):
        show_grid(title, lines, console)
    for note in notes(rows):
        console.print(escape(note))


def show_grid(title: str, lines: list[list[str]], console: Console) -> None:
    """Print a line for each profiler: too many to fit side by side."""
    for part in range(1, len(lines), GRID_COLUMNS):
        table = Table(box=None, padding=(0, 1, 0, 0), title=escape(title), title_justify="left")
        for name in (lines[0][0], *(line[0] for line in lines[part : part + GRID_COLUMNS])):
            table.add_column(escape(name), justify="right" if name else "left", header_style="dim")
        for number, profiler in enumerate(lines[0][1:], 1):
            chosen = [line[number] for line in lines[part : part + GRID_COLUMNS]]
            table.add_row(escape(profiler), *map(escape, chosen))
        console.print(table)
        console.print()


GRID_COLUMNS = 5


def style(row: Row) -> str:
    if row.over is None:
        return "dim"
    return "red" if row.met is False else ""


def heading(row: Row) -> str:
    return f"{row.case}, {row.unit}" if row.unit else row.case


def cells(row: Row, shown: Callable[[Sample], str]) -> tuple[str, ...]:
    target = str(row.target) if row.target else ""
    if row.over is None:
        return row.figure, "", "", "", "", target, "none"
    peer = ratio = spread = ""
    if row.under is not None and row.ratio is not None:
        named = "" if row.peer in row.figure else f" {row.peer}"
        peer = shown(row.under) + named
        ratio = f"{row.ratio.best:.3f}"
        if len(row.over.values) > 1:
            spread = f"{row.ratio.low:.3f}-{row.ratio.high:.3f}"
    met = "" if row.met is None else "yes" if row.met else "no"
    return row.figure, shown(row.over), peer, ratio, spread, target, met


def least(sample: Sample) -> str:
    return number(sample.minimum)


def least_and_median(sample: Sample) -> str:
    if len(sample.values) == 1:
        return number(sample.minimum)
    return f"{number(sample.minimum)} ({number(sample.median)})"


def number(figure: float) -> str:
    if figure == int(figure):
        return f"{figure:,.0f}"
    if abs(figure) < 1:
        return f"{figure:.3f}"
    return f"{figure:.1f}" if abs(figure) < 100 else f"{figure:,.0f}"


def ratio_text(row: Row, spread: bool) -> str:
    if row.ratio is None:
        return "none"
    around = f" ({row.ratio.low:.2f}-{row.ratio.high:.2f})" if spread else ""
    return f"{row.ratio.best:.2f}{around}"


def grids(rows: Iterable[Row], text: Callable[[Row], str]) -> list[tuple[str, list[list[str]]]]:
    """Return the title and the lines of each grid; the first line has the headings."""
    found = []
    gridded = [row for row in rows if row.grid]
    for title in dict.fromkeys(row.grid for row in gridded):
        inside = {(row.case, row.figure): text(row) for row in gridded if row.grid == title}
        figures = list(dict.fromkeys(figure for _, figure in inside))
        lines = [["", *figures]]
        for case in dict.fromkeys(case for case, _ in inside):
            lines.append([case, *(inside.get((case, figure), "") for figure in figures)])
        found.append((title, lines))
    return found


def notes(rows: Iterable[Row]) -> list[str]:
    """Return the reasons for missing measurements and missed targets, each once."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        if row.note and (row.over is None or row.met is False):
            verdict = "not measured" if row.over is None else "missed"
            subject = f"{row.figure} ({row.grid})" if row.grid else ""
            key = (subject or f"{row.case}, {row.figure}", verdict, row.note)
            found.setdefault(key, []).append(row.case)
    return [f"{subject}: {verdict}: {note}" for subject, verdict, note in found]


def as_markdown(rows: Sequence[Row], about: dict[str, str]) -> str:
    lines = ["# What pyusdt costs", "", "Written by `make bench`. " + EXPLANATION, ""]
    lines += [f"- {label}: {text}" for label, text in about.items()]
    lines += ["", line(("case", *WIDTHS))]
    lines.append(line("--:" if name in RIGHT else "---" for name in ("case", *WIDTHS)))
    plain = [row for row in rows if not row.grid]
    lines += [line((heading(row), *cells(row, least_and_median))) for row in plain]
    for title, table in grids(rows, lambda row: ratio_text(row, spread=True)):
        lines += ["", f"## {title[0].upper()}{title[1:]}", "", line(table[0])]
        lines.append(line(["---"] + ["--:"] * (len(table[0]) - 1)))
        lines += [line(columns) for columns in table[1:]]
    lines += ["", *(f"- {note}" for note in notes(rows))]
    return "\n".join(lines).rstrip() + "\n"


def line(columns: Iterable[str]) -> str:
    return "| " + " | ".join(columns) + " |"
