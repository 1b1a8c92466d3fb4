# SPDX-License-Identifier: Apache-2.0
"""Programs whose lines say how often they run, and runs of these.

    total += i  #: 3                      3 hits
    refuse(i)  #: 3 !2                    3 hits, 2 errors
    key = lambda x: -x  #: 1; <lambda> 3  and 3 of another function that has this line
    return n == 0 or odd(n)  #: 5 (3.13: 3)      from 3.13 on it is 3

A line that says nothing has no hits.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from pyusdt.recording import Recording

PROGRAMS = Path(__file__).with_name("programs") / "by_line"
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py"))
ANSWER = re.compile(
    r"(?:(?P<name>\S+) )?(?P<hits>\d+)(?P<newer>(?: \(3\.\d+: \d+\))*)(?: !(?P<errors>\d+))?"
)
NEWER = re.compile(r"\(3\.(\d+): (\d+)\)")

Figures = dict[tuple[int, str], tuple[int, int]]
"""By line, and the function's name where a line names it: hits and errors."""


def answers(source: str) -> Figures:
    found: Figures = {}
    for number, text in enumerate(source.splitlines(), 1):
        words = text.partition("  #: ")[2].partition("  #")[0]
        for word in filter(None, words.split("; ")):
            match = ANSWER.fullmatch(word)
            assert match, f"line {number}: {word}"
            hits = int(match["hits"])
            for minor, newer in NEWER.findall(match["newer"]):
                hits = int(newer) if sys.version_info >= (3, int(minor)) else hits
            found[number, match["name"] or ""] = hits, int(match["errors"] or 0)
    return {key: figures for key, figures in found.items() if any(figures)}


def figures(recording: Recording, file: str, source: str) -> Figures:
    """The same of a recording: names are those that the source's answers have."""
    named = answers(source)
    found: Figures = {}
    for row in recording.line_rows:
        if row.record.file == file and (row.hits or row.errors):
            name = row.record.name
            key = row.line, name if (row.line, name) in named else ""
            hits, errors = found.get(key, (0, 0))
            found[key] = hits + row.hits, errors + row.errors
    return found


def run(source: str, file: str) -> dict[str, Any]:
    """Run it as the module "lined"; return its names."""
    names: dict[str, Any] = {"__name__": "lined"}
    exec(compile(source, file, "exec"), names)
    return names


def hits(recording: Recording, qualname: str) -> dict[int, int]:
    """Of a function, by line from its first one on, which is 0."""
    found: dict[int, int] = {}
    for row in recording.line_rows:
        if row.record.qualname.endswith(qualname) and row.hits:
            number = row.line - row.record.line
            found[number] = found.get(number, 0) + row.hits
    return found
