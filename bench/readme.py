# SPDX-License-Identifier: Apache-2.0
"""The figures of README.md: each stands before a comment that names the row that it is from.

    1.17<!-- bench: PY_START | event alone / floor -->        a ratio, or a value where none is
    lowest on each workload<!-- bench met: recorder, Python functions -->
                                      words that are true where all rows of a case meet their target

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
    """Return `text` with the figures that the rows have. Raises LookupError where there is none."""
    known = list(rows)

    def figure(match: re.Match[str]) -> str:
        row = find(match["case"], match["figure"], known)[0]
        return match[0].replace(match["text"], shown(row), 1)

    return FIGURE.sub(figure, text)


def unfounded(text: str, rows: Iterable[Row]) -> list[str]:
    """What `text` says and the rows do not show, a line each."""
    known = list(rows)
    found = []
    for match in FIGURE.finditer(text):
        row = find(match["case"], match["figure"], known)[0]
        if match["text"] != shown(row):
            found.append(f"{row.case}, {row.figure}: {match['text']}, and it is {shown(row)}")
    for match in CLAIM.finditer(text):
        for row in find(match["case"], match["figure"] or "", known):
            if row.met is False:
                found.append(f"{row.case}, {row.figure}: the target is missed")
    return found


def find(case: str, figure: str, rows: list[Row]) -> list[Row]:
    """Those of the case whose figure begins so, an exact one first."""
    found = [
        row
        for row in rows
        if row.case == case and row.figure.startswith(figure) and row.result is not None
    ]
    if not found:
        raise LookupError(f"the bench has no row {case} | {figure}")
    return sorted(found, key=lambda row: row.figure != figure)


def shown(row: Row) -> str:
    if row.ratio:
        return f"{row.ratio.best:.2f}"
    assert row.over is not None
    return number(row.over.minimum)
