# SPDX-License-Identifier: Apache-2.0
"""Shows the rows: on the terminal, and in results/latest.md and results/latest.json."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

from bench.rows import Row
from bench.stats import Sample

RESULTS = Path(__file__).resolve().parent / "results"
# The columns, and how wide each is at least on a terminal of 80.
WIDTHS = {"figure": 27, "pyusdt": 10, "peer": 10, "ratio": 5, "spread": 11, "target": 6, "met": 3}
RIGHT = frozenset({"pyusdt", "peer", "ratio"})
EXPLANATION = (
    "Values are the least of all rounds, in brackets the median. A ratio is that of the least "
    "values, its spread the middle half of the ratios within each round, whose sides ran in turn. "
    "Times are processor time; floor: the same probes, hit from a C loop; earlier: the package "
    "pyusdt 0.1.1 of PyPI."
)


def show(rows: Sequence[Row], console: Console) -> None:
    """Print a small table for each case and unit, all alike; least values only."""
    for _, group in groupby(rows, key=heading):
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
    for note in notes(rows):
        console.print(escape(note))


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
        peer = shown(row.under)
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
    return f"{figure:.1f}" if figure < 100 else f"{figure:,.0f}"


def notes(rows: Iterable[Row]) -> list[str]:
    """Why what is not measured is not, and why what misses its target does."""
    return [
        f"{row.case}, {row.figure}: {'not measured' if row.over is None else 'missed'}: {row.note}"
        for row in rows
        if row.note and (row.over is None or row.met is False)
    ]


def write(rows: Sequence[Row], about: dict[str, str]) -> tuple[Path, Path]:
    """Write both files; their paths."""
    markdown, data = RESULTS / "latest.md", RESULTS / "latest.json"
    RESULTS.mkdir(exist_ok=True)
    replace(markdown, as_markdown(rows, about))
    replace(data, json.dumps(as_data(rows, about), indent=1) + "\n")
    return markdown, data


def replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, path)


def as_markdown(rows: Sequence[Row], about: dict[str, str]) -> str:
    lines = ["# What pyusdt costs", "", "Written by `make bench`. " + EXPLANATION, ""]
    lines += [f"- {label}: {text}" for label, text in about.items()]
    lines += ["", line(("case", *WIDTHS))]
    lines.append(line("--:" if name in RIGHT else "---" for name in ("case", *WIDTHS)))
    lines += [line((heading(row), *cells(row, least_and_median))) for row in rows]
    lines += ["", *(f"- {note}" for note in notes(rows))]
    return "\n".join(lines).rstrip() + "\n"


def line(columns: Iterable[str]) -> str:
    return "| " + " | ".join(columns) + " |"


def as_data(rows: Iterable[Row], about: dict[str, str]) -> dict[str, Any]:
    return {"about": about, "rows": [row_data(row) for row in rows]}


def row_data(row: Row) -> dict[str, Any]:
    data = asdict(row)
    for side in ("over", "under"):
        sample = getattr(row, side)
        if sample is not None:
            data[side] |= {"minimum": sample.minimum, "median": sample.median}
    data["ratio"] = asdict(row.ratio) if row.ratio else None
    data["met"] = row.met
    return data
