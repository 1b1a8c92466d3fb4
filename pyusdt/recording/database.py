# SPDX-License-Identifier: Apache-2.0
"""The SQL of a recording, in memory: SQLite never opens a file for writing, so it has no journal
that somebody could plant, or that could be left."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from json import dumps
from sqlite3 import connect

from pyusdt._version import __version__
from pyusdt.recording.records import Process
from pyusdt.recording.schema import APPLICATION_ID, SCHEMA, VERSION
from pyusdt.recording.snapshot import FunctionRow, Snapshot, clean, clean_step
from pyusdt.recording.treerows import totals_of_nodes
from pyusdt.system import os

TABLES = {
    "processes": 19, "functions": 6, "threads": 5, "nodes": 10, "totals": 9, "charges": 9,
    "kernel": 10, "histograms": 5, "lines": 7, "memory": 15, "resident": 5,
    "living": 9, "points": 5, "growth": 9, "texts": 2, "sources": 3, "steps": 12,
    "losses": 3, "started": 3,
}  # fmt: skip
"""Each table of what was recorded, and how many columns it has."""
_MEMORY = "rss_start_bytes, rss_end_bytes, allocated_bytes, freed_bytes, peak_bytes"
_NO_MEMORY = (None,) * 5
_SUMS = {
    "living": "bytes = bytes + excluded.bytes, blocks = blocks + excluded.blocks",
    "points": "bytes = excluded.bytes",
    "growth": "bytes = bytes + excluded.bytes",
}
"""Of rows whose functions are one in the file."""
_SHARED = ("functions", "texts")


@contextmanager
def new(recording: str, directory: str = "") -> Iterator[sqlite3.Connection]:
    """A recording without processes. `recording` is its identity, and `directory` the name of the
    one beside it that has parts."""
    database = connect(":memory:", isolation_level=None)
    try:
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.executescript(f"BEGIN; {SCHEMA} COMMIT;")
        meta: list[tuple[str, str | bytes]] = [
            ("recording", recording),
            ("created_by", __version__),
        ]
        meta += [("directory", os.fsencode(directory))] * bool(directory)
        database.executemany("INSERT INTO meta VALUES (?, ?)", meta)
        yield database
    finally:
        database.close()


def add_process(
    database: sqlite3.Connection, token: str, process: Process, snapshot: Snapshot
) -> tuple[int, dict[int, int]]:
    """Add a process and what it recorded; `process.id` does not matter. Return its row's number,
    and those of its functions by the numbers that it knows them by."""
    it, ended = process, process.ended_ns
    cursor = database.execute(
        "INSERT INTO processes VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (token, it.pid, it.parent_pid, clean(it.host), clean(it.command), clean(it.python),
         it.started_ns, it.started_monotonic_ns, it.updated_ns, ended,
         _clean(it.reason), it.forked, it.flush_ns,
         snapshot.sampled, snapshot.times, _clean(snapshot.kernel), dumps(it.paths),
         snapshot.memory_kinds),
    )  # fmt: skip
    number = cursor.lastrowid or 0
    place = _add_functions(database, snapshot.functions)
    totals = snapshot.totals or totals_of_nodes(snapshot.nodes)
    put = database.executemany
    put(
        "INSERT INTO threads VALUES (?, ?, ?, ?, ?)",
        (
            (number, index, row.tid, clean(row.name), row.elapsed_ns)
            for index, row in enumerate(snapshot.threads)
        ),
    )
    put(
        "INSERT INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (number, *row.place, row.parent, place[row.function], *row.figures)
            for row in snapshot.nodes
        ),
    )
    put(
        "INSERT INTO totals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((number, row.thread, place[row.function], *row.figures) for row in totals),
    )
    _add_charges(database, number, snapshot, {**place, -1: -1})
    _add_lines(database, number, snapshot, place)
    _add_memory(database, number, snapshot, {**place, -1: -1})
    _add_resident(database, number, snapshot)
    _add_living(database, number, snapshot, {**place, -1: -1})
    put(
        "INSERT INTO histograms (process, function, ns, count, kind) VALUES (?, ?, ?, ?, ?)",
        ((number, place[row.function], *row[1:]) for row in snapshot.histograms),
    )
    put(
        f"INSERT INTO steps (process, name, kind, sequence, start_ns, elapsed_ns, value, {_MEMORY})"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (number, *row[:-1], *(row.memory or _NO_MEMORY))
            for row in map(clean_step, snapshot.steps)
        ),
    )
    put(
        "INSERT INTO losses VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
        ((number, clean(name), count) for name, count in snapshot.losses.items()),
    )
    put(
        "INSERT INTO started VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
        ((number, clean(program), count) for program, count in snapshot.started.items()),
    )
    return number, place


def _add_charges(
    database: sqlite3.Connection, number: int, snapshot: Snapshot, place: dict[int, int]
) -> None:
    """Add what was charged to a process, and the kernel's account of it."""
    database.executemany(
        "INSERT INTO charges (process, thread, node, function, kind, syscall, samples, ns, line)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((number, *row[:2], place[row.function], *row[3:]) for row in snapshot.charges),
    )
    database.executemany(
        "INSERT INTO kernel VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (number, *row[:2], place[row.function], row.kind, clean(row.name), *row.figures)
            for row in snapshot.kernel_rows
        ),
    )


def _add_lines(
    database: sqlite3.Connection, number: int, snapshot: Snapshot, place: dict[int, int]
) -> None:
    """Add what was counted of the lines of a process, and the texts of its files."""
    database.executemany(
        "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " hits = hits + excluded.hits, errors = errors + excluded.errors,"
        " total_ns = total_ns + excluded.total_ns, self_ns = self_ns + excluded.self_ns",
        ((number, place[row.function], *row[2:]) for row in snapshot.lines),
    )
    for file, source in snapshot.sources.items():
        database.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (source.sha256, source.text))
        database.execute(
            "INSERT OR IGNORE INTO sources VALUES (?, ?, ?)", (number, clean(file), source.sha256)
        )


def _add_memory(
    database: sqlite3.Connection, number: int, snapshot: Snapshot, place: dict[int, int]
) -> None:
    """Add what a process has allocated."""
    marks = ", ".join("?" * TABLES["memory"])
    database.executemany(
        f"INSERT INTO memory VALUES ({marks})",
        (
            (number, row.thread, row.node, place[row.function], row.line, place[row.line_function],
             *row.figures)
            for row in snapshot.memory
        ),
    )  # fmt: skip


def _add_resident(database: sqlite3.Connection, number: int, snapshot: Snapshot) -> None:
    """Add what a process had in RAM."""
    marks = ", ".join("?" * TABLES["resident"])
    database.executemany(
        f"INSERT INTO resident VALUES ({marks})", ((number, *row) for row in snapshot.resident)
    )


def _add_living(
    database: sqlite3.Connection, number: int, snapshot: Snapshot, place: dict[int, int]
) -> None:
    """Add what of it lives, since when, and what has grown."""
    rows: dict[str, Iterable[tuple[object, ...]]] = {
        "living": (
            (*row[:2], place[row.function], row.line, place[row.line_function], *row[5:])
            for row in snapshot.living
        ),
        "points": ((clean(row.name), *row[1:]) for row in snapshot.points),
        "growth": (
            (*row[:2], place[row.function], row.line, place[row.line_function], clean(row.name),
             *row[6:])
            for row in snapshot.growth
        ),
    }  # fmt: skip
    for table, some in rows.items():
        marks = ", ".join("?" * TABLES[table])
        database.executemany(
            f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT DO UPDATE SET {_SUMS[table]}",
            ((number, *row) for row in some),
        )


def _clean(text: str | None) -> str | None:
    return None if text is None else clean(text)


def remove_process(database: sqlite3.Connection, token: str) -> None:
    """Remove a process, if it is there, with all that it recorded."""
    found = database.execute("SELECT id FROM processes WHERE token = ?", (token,)).fetchone()
    for table in TABLES if found else ():
        if table not in _SHARED:
            column = "id" if table == "processes" else "process"
            database.execute(f"DELETE FROM {table} WHERE {column} = ?", found)
    if found:
        database.execute("DELETE FROM texts WHERE sha256 NOT IN (SELECT sha256 FROM sources)")


def _add_functions(
    database: sqlite3.Connection, functions: Iterable[FunctionRow]
) -> dict[int, int]:
    """Find or make their rows: from the numbers that the process has to those in the file."""
    place = {}
    none = database.execute("SELECT count(*) FROM functions").fetchone() == (0,)
    for row in functions:
        texts = map(clean, (row.module, row.qualname, row.name, row.file))
        record = (*texts, row.line)
        database.execute(
            "INSERT OR IGNORE INTO functions VALUES (?, ?, ?, ?, ?, ?)",
            (row.id if none else None, *record),
        )
        (place[row.id],) = database.execute(
            "SELECT id FROM functions WHERE module = ? AND qualname = ? AND name = ?"
            " AND file = ? AND line = ?",
            record,
        ).fetchone()
    return place


def copy_rows(source: sqlite3.Connection, into: sqlite3.Connection) -> None:
    """Copy all processes of a recording of this format. Nothing of its schema is run."""
    for table, n in TABLES.items():
        columns = [row[1] for row in into.execute(f"PRAGMA table_info({table})")]
        names = ", ".join(columns[:n])
        marks = ", ".join("?" * n)
        into.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",
            source.execute(f"SELECT {names} FROM {table}"),
        )


def content(database: sqlite3.Connection) -> bytes:
    """The bytes of its file."""
    return database.serialize()
