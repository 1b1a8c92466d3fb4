# SPDX-License-Identifier: Apache-2.0
"""Reading lines, and the texts of files, from a recording whose tables have been checked."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping

from pyusdt.recording.build import DamageError
from pyusdt.recording.charges import Charges
from pyusdt.recording.lines import LineFigures, Lines, add_charges
from pyusdt.recording.source import Source


def lines(database: sqlite3.Connection, place: Mapping[int, int]) -> Lines:
    """What `Recording.lines` holds; `place` maps a function id to its index."""
    found: Lines = {}
    for process, function, line, *figures in database.execute(
        "SELECT process, function, line, hits, errors, total_ns, self_ns FROM lines"
    ):
        if function not in place:
            raise DamageError(f"lines name function {function}, which is not there")
        found[process, place[function], line] = LineFigures(*figures)
    rows: dict[tuple[int, int, int], list[tuple[str, int, int, int]]] = defaultdict(list)
    for process, function, line, *row in database.execute(
        "SELECT process, function, line, kind, syscall, sum(samples), sum(ns) FROM charges"
        " WHERE line <> 0 AND process IN (SELECT id FROM processes WHERE sampled)"
        " GROUP BY process, function, line, kind, syscall"
    ):
        if function not in place:
            raise DamageError(f"charges of a line name function {function}, which is not there")
        rows[process, place[function], line].append((row[0], *row[1:]))
    add_charges(found, {key: Charges(some) for key, some in rows.items()})
    return found


def sources(database: sqlite3.Connection) -> dict[tuple[int, str], Source]:
    """What `Recording.sources` holds."""
    texts = {}
    for sha256, text in database.execute("SELECT sha256, text FROM texts"):
        texts[sha256] = Source.of(text)
        if texts[sha256].sha256 != sha256:
            raise DamageError("the text of a file is not the one that was recorded")
    found = {}
    for process, file, sha256 in database.execute("SELECT process, file, sha256 FROM sources"):
        if sha256 not in texts:
            raise DamageError("the text of a file is not there")
        found[process, file] = texts[sha256]
    return found
