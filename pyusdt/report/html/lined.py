# SPDX-License-Identifier: Apache-2.0
"""The lines that were recorded, as a page has them: rows of figures, and each file's text once."""

from collections.abc import Callable
from typing import Any

from pyusdt.recording.charges import Charges
from pyusdt.report.html.pack import packed, table
from pyusdt.report.html.source import shown
from pyusdt.report.lines import LinedFunction

_MOST_TEXT = 16_000_000  # characters of all files together, those of the hottest functions first


def lined_data(
    functions: list[LinedFunction],
    texts: bool,
    place: Callable[[str], int],
    rows_of: Callable[[Charges], list[tuple[int, int, int]]],
) -> dict[str, Any]:
    """All of it, of `functions`, the hottest first; with texts if these are wanted. `place` has the
    strings of the page, `rows_of` what was charged as numbers."""
    lines = [(function.index, it) for function in functions for it in function.lines]
    files, places = _files(functions, texts, place)
    spans = {f.index: (places[f.record.file], f.block.start, f.block[-1]) for f in functions}
    return {
        "rows": table(
            ("function", "line", "hits", "errors", "total", "self"),
            [
                (i, it.line, it.hits, it.errors, max(it.total_ns, 0), max(it.self_ns, 0))
                for i, it in lines
            ],
        ),
        "charges": table(
            ("row", "kind", "looks", "ns"),
            [(n, *row) for n, (_, it) in enumerate(lines) for row in rows_of(it.charges)],
        ),
        "functions": spans,
        "files": files,
    }


def _files(
    functions: list[LinedFunction], texts: bool, place: Callable[[str], int]
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The files, and the place of each by its name."""
    files: list[dict[str, Any]] = []
    places: dict[str, int] = {}
    left = _MOST_TEXT
    for function in functions:
        file = function.record.file
        if file in places:
            continue
        places[file] = len(files)
        made = {"file": place(file), "text": None, "state": function.state, "why": ""}
        files.append(made)
        text = "".join(map(shown, function.source or ()))
        if not texts:
            made |= {"state": "missing", "why": "it was left out"}
        elif len(text) > left:
            made |= {"state": "missing", "why": "too much source before it"}
        elif text:
            left -= len(text)
            made["text"] = packed(text)
    return files, places
