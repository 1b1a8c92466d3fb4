# SPDX-License-Identifier: Apache-2.0
"""The figures of README.md: each stands before a comment that names its row.

    1.17<!-- bench: PY_START | event alone / floor -->        a ratio, or a value where none is
    lowest on each workload<!-- bench met: recorder, Python functions -->
                                      words that are true if all rows of a case meet their target

A figure's row is named by its case and the beginning of its figure.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from bench.report import number
from bench.rows import Row

PATH = Path(__file__).resolve().parent.parent / "README.md"
FIGURE = re.compile(r"(?P<text>[\d.,]+)<!-- bench: (?P<case>[^|>]+?) \| (?P<figure>.+?) -->")
CLAIM = re.compile(r"<!-- bench met: (?P<case>[^|>]+?)(?: \| (?P<figure>.+?))? -->")


def refreshed(text: str, rows: Iterable[Row]) -> str:
    """Return `text` with the figures of the rows; a figure without a row stays."""
    known = list(rows)

    def figure(match: re.Match[str]) -> str:
        found = find(match["case"], match["figure"], known)
        return match[0].replace(match["text"], shown(found[0]), 1) if found else match[0]

    return FIGURE.sub(figure, text)


def unfounded(text: str, rows: Iterable[Row]) -> list[str]:
    """Return a line for each claim of `text` that the rows do not support."""
    known = list(rows)
    wrong = []
    for match in FIGURE.finditer(text):
        found = find(match["case"], match["figure"], known)
        is_shown = shown(found[0]) if found else "not measured"
        if match["text"] != is_shown:
            wrong.append(f"{match['case']}, {match['figure']}: {match['text']} is {is_shown}")
    for match in CLAIM.finditer(text):
        found = find(match["case"], match["figure"] or "", known)
        wrong += [f"{row.case}, {row.figure}: missed" for row in found if not row.met]
        if not found:
            wrong.append(f"{match['case']}, {match['figure']}: not measured")
    return wrong


def find(case: str, figure: str, rows: list[Row]) -> list[Row]:
    """Return the case's measured rows whose figure begins so, an exact one first."""
    found = [
        row
        for row in rows
        if row.case == case and row.figure.startswith(figure) and row.result is not None
    ]
    return sorted(found, key=lambda row: row.figure != figure)


def shown(row: Row) -> str:
    if row.ratio:
        return f"{row.ratio.best:.2f}"
    assert row.over is not None
    return number(row.over.minimum)
