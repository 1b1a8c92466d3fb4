# SPDX-License-Identifier: Apache-2.0
"""What a recording must have before it is read: it is a file that anybody may have made."""

import sqlite3
from collections.abc import Iterable

from pyusdt.recording import charges, kernel, store
from pyusdt.recording.build import DamageError
from pyusdt.recording.records import Thread
from pyusdt.recording.source import MOST_CHARACTERS

_MOST_ROWS = 50_000_000

# SQLite keeps any value in any column. These must hold whole numbers from the least on. A wall
# clock may stand before 1970, and generated code may have any line.
_ANY = -(2**63)
_NUMBERS = {
    "processes": {"id": 0, "pid": 0, "parent_pid": 0, "started_ns": _ANY,
                  "started_monotonic_ns": 0, "updated_ns": _ANY},
    "threads": {"process": 0, "thread": 0, "tid": 0, "elapsed_ns": 0},
    "functions": {"id": 0, "line": _ANY},
    "totals": {"process": 0, "thread": 0, "function": 0, "calls": 0, "primitive_calls": 0,
               "resumes": 0, "errors": 0, "total_ns": 0, "self_ns": 0},
    "nodes": {"process": 0, "thread": 0, "node": 0, "parent": -1, "function": 0, "calls": 0,
              "resumes": 0, "errors": 0, "elapsed_ns": 0, "self_ns": 0},
    "charges": {"process": 0, "thread": 0, "node": -1, "function": -1, "syscall": 0, "samples": 0,
                "ns": 0},
    "kernel": {"process": 0, "thread": -1, "node": -1, "function": -1, "count": 0, "ns": 0,
               "bytes": 0, "errors": 0},
    "histograms": {"process": 0, "function": 0, "ns": 0, "count": 0, "kind": 0},
    "lines": {"process": 0, "function": 0, "line": _ANY, "hits": 0, "errors": 0, "total_ns": 0,
              "self_ns": 0},
    "memory": {"process": 0, "thread": -1, "node": -1, "function": -1, "line": 0,
               "line_function": -1, "allocated_bytes": 0, "allocated_blocks": 0, "freed_bytes": 0,
               "freed_blocks": 0, "temporary_bytes": 0, "temporary_blocks": 0, "peak_bytes": 0,
               "peak_blocks": 0, "biggest": 0},
    "resident": {"process": 0, "at_ns": 0, "rss_bytes": 0, "swap_bytes": 0, "peak_bytes": 0},
    "living": {"process": 0, "thread": -1, "node": -1, "function": -1, "line": 0,
               "line_function": -1, "since_ns": 0, "bytes": 0, "blocks": 0},
    "points": {"process": 0, "iteration": 0, "bytes": 0, "changing": 0},
    "growth": {"process": 0, "thread": -1, "node": -1, "function": -1, "line": 0,
               "line_function": -1, "iteration": 0, "bytes": 0},
    "sources": {"process": 0},
    "texts": {},
    "steps": {"process": 0, "sequence": 0, "start_ns": 0},
    "losses": {"process": 0, "count": 0},
    "started": {"process": 0, "count": 0},
}  # fmt: skip
# What may be missing, or of several kinds.
_TEXTS = {
    "processes": ("host", "command", "python"),
    "threads": ("name",),
    "functions": ("module", "qualname", "name", "file"),
    "charges": ("kind",),
    "kernel": ("kind", "name"),
    "sources": ("file", "sha256"),
    "texts": ("sha256", "text"),
    "points": ("name",),
    "growth": ("name",),
    "steps": ("name", "kind"),
    "losses": ("name",),
    "started": ("program",),
}
_STEP_MEMORY = (
    "rss_start_bytes", "rss_end_bytes", "allocated_bytes", "freed_bytes", "peak_bytes",
)  # fmt: skip
# The tables that came with later formats than the first.
_SINCE = {"totals": 2, "started": 2, "charges": 4, "kernel": 4, "lines": 5, "sources": 5,
          "texts": 5, "memory": 6, "resident": 6, "living": 6, "points": 6,
          "growth": 6}  # fmt: skip
_CHOICES = {"charges": ("kind", charges.KINDS), "kernel": ("kind", kernel.KINDS)}
_OTHERS = {
    "processes": {"ended_ns": "'integer', 'null'", "reason": "'text', 'null'"},
    "steps": {"elapsed_ns": "'integer', 'null'", "value": "'integer', 'real', 'text', 'null'"},
}


def check(database: sqlite3.Connection, version: int) -> None:
    """Raise where a table is none, or has what no recorder writes."""
    for table, columns in _NUMBERS.items():
        if version < _SINCE.get(table, 1):
            continue
        store.check_table(database, table)
        (rows,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()
        if rows > _MOST_ROWS:
            raise DamageError(f"{table} has {rows} rows")
        if table == "histograms" and version < 3:
            columns = {"process": 0, "function": 0, "bucket": 0, "count": 0}
        _check_numbers(database, table, columns)
        _check_texts(database, table, _TEXTS.get(table, ()))
        _check_others(database, table, _OTHERS.get(table, {}))
        if table in _CHOICES:
            _check_choice(database, table, *_CHOICES[table])
        if "process" in columns:
            _check_processes(database, table)
    if version >= 2:
        _check_numbers(database, "processes", {"forked": 0, "flush_ns": 0})
    if version >= 4:
        _check_numbers(database, "processes", {"sampled": 0})
        _check_texts(database, "processes", ("paths", "times"))
        _check_others(database, "processes", {"kernel": "'text', 'null'"})
        _check_choice(database, "processes", "times", ("exact", "sampled"))
    if version >= 5:
        _check_numbers(database, "charges", {"line": _ANY})
        _check_lengths(database)
    if version >= 6:
        _check_others(database, "processes", {"memory": "'text', 'null'"})
        _check_others(database, "steps", dict.fromkeys(_STEP_MEMORY, "'integer', 'null'"))


def _check_numbers(database: sqlite3.Connection, table: str, columns: dict[str, int]) -> None:
    for column, least in columns.items():
        (wrong,) = database.execute(
            f"SELECT count(*) FROM {table}"
            f" WHERE typeof({column}) <> 'integer' OR {column} < {least}"
        ).fetchone()
        if wrong:
            raise DamageError(f"{table}.{column} is not a number from {least} on ({wrong} rows)")


def _check_processes(database: sqlite3.Connection, table: str) -> None:
    found = database.execute(
        f"SELECT process FROM {table} WHERE process NOT IN (SELECT id FROM processes) LIMIT 1"
    ).fetchone()
    if found:
        raise DamageError(f"{table} name process {found[0]}, which is not there")


def _check_texts(database: sqlite3.Connection, table: str, columns: Iterable[str]) -> None:
    for column in columns:
        (wrong,) = database.execute(
            f"SELECT count(*) FROM {table} WHERE typeof({column}) <> 'text'"
        ).fetchone()
        if wrong:
            raise DamageError(f"{table}.{column} is not text ({wrong} rows)")


def _check_others(database: sqlite3.Connection, table: str, columns: dict[str, str]) -> None:
    for column, types in columns.items():
        (wrong,) = database.execute(
            f"SELECT count(*) FROM {table} WHERE typeof({column}) NOT IN ({types})"
        ).fetchone()
        if wrong:
            raise DamageError(f"{table}.{column} has a value of another type ({wrong} rows)")


def _check_choice(
    database: sqlite3.Connection, table: str, column: str, choices: Iterable[str]
) -> None:
    known = ", ".join(f"'{choice}'" for choice in choices)
    (wrong,) = database.execute(
        f"SELECT count(*) FROM {table} WHERE {column} NOT IN ({known})"
    ).fetchone()
    if wrong:
        raise DamageError(f"{table}.{column} is none of those that there are ({wrong} rows)")


def _check_lengths(database: sqlite3.Connection) -> None:
    (longest,) = database.execute(
        f"SELECT count(*) FROM texts WHERE length(text) > {MOST_CHARACTERS}"
    ).fetchone()
    if longest:
        raise DamageError(f"texts of more than {MOST_CHARACTERS:,} characters ({longest} rows)")


def check_threads(database: sqlite3.Connection, threads: list[Thread]) -> None:
    """Raise DamageError for nodes of a thread that is not there."""
    known = {(thread.process, thread.index) for thread in threads}
    for process, thread, node in database.execute(
        "SELECT process, thread, node FROM nodes GROUP BY process, thread"
    ):
        if (process, thread) not in known:
            raise DamageError(f"node {node} is of thread {thread}, which is not there")
