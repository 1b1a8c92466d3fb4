# SPDX-License-Identifier: Apache-2.0
"""Writing a recording: each process updates its own rows, in one transaction a flush.

The file is opened for each flush and closed after it. A descriptor that stayed open would be one
more thing that the recorded program could close, or inherit by fork, and SQLite's locks survive
neither. A flush must not be under way in another thread while the process forks.
"""

import os
import secrets
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from pyusdt.errors import UserError
from pyusdt.recording import store
from pyusdt.recording.records import Process
from pyusdt.recording.snapshot import FunctionRow, NodeRow, Snapshot, clean, clean_step

# Nobody holds the lock for longer than one flush; ten at once are well within this.
_BUSY_SECONDS = 30.0


class _Shape(NamedTuple):
    """Where a node is in its tree."""

    depth: int
    outermost: int
    """1 if no caller above it is the same function."""


_AT_THE_TOP = _Shape(0, 1)


class Writer:
    """Adds this process to the recording at `path`, which is made at the first write.

    `replace` starts a new recording in place of one that is there; without it, this process joins.
    After a fork the child's writer makes a row of its own. `process` is the one that is recorded
    where that is another one. Every method raises UserError, and then the file holds what it held
    before.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        replace: bool = False,
        process: Process | None = None,
    ) -> None:
        self._path = os.path.abspath(os.fspath(path))
        self._replace = replace
        self._other = process
        self._functions: dict[int, FunctionRow] = {}
        self._begin()

    def write(self, snapshot: Snapshot) -> None:
        """Bring this process's rows up to `snapshot`, all of them or none."""
        self._update(snapshot, None)

    def close(self, reason: str = "exit", snapshot: Snapshot | None = None) -> None:
        """Write the last `snapshot`, if given, and why the process's recording ended."""
        self._update(snapshot or Snapshot(), reason)

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._token = secrets.token_hex(16)
        self._recorded = self._other or this_process()
        self._file = ""  # identity of the recording that the next four refer to
        self._process = 0
        self._rows: dict[int, int] = {}  # function id -> row in the file
        self._written: dict[tuple[int, int], int] = {}  # node -> hash of what the file has
        self._n_steps = 0  # that the file has
        self._shapes: dict[tuple[int, int], _Shape] = {}

    def _update(self, snapshot: Snapshot, reason: str | None) -> None:
        if os.getpid() != self._pid:
            self._begin()
            self._replace = False
        self._functions.update((row.id, row) for row in snapshot.functions)
        store.create(self._path, self._replace)
        self._replace = False
        with store.explained(self._path):
            database = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                database.execute("PRAGMA synchronous = NORMAL")
                database.execute("BEGIN IMMEDIATE")
                self._recognize(database)
                self._write_process(database, reason)
                self._write_rows(database, snapshot)
                database.execute("COMMIT")
            except BaseException:
                self._file = ""  # what was rolled back took the rows that we know with it
                raise
            finally:
                database.close()

    def _recognize(self, database: sqlite3.Connection) -> None:
        """Forget the rows that we know when another recording has been put in place, or when
        they were rolled back."""
        row = database.execute("SELECT value FROM meta WHERE key = 'recording'").fetchone()
        if row is None:
            raise UserError(f"{self._path}: damaged recording: it has no identity")
        if row[0] != self._file:
            self._file = row[0]
            self._rows = {}
            self._written = {}
            self._n_steps = 0
            row = database.execute("SELECT id FROM processes WHERE token = ?", (self._token,))
            (self._process,) = row.fetchone() or (0,)

    def _write_process(self, database: sqlite3.Connection, reason: str | None) -> None:
        now, it = time.time_ns(), self._recorded
        if not self._process:
            cursor = database.execute(
                "INSERT INTO processes VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                (self._token, it.pid, it.parent_pid, clean(it.host), clean(it.command),
                 it.python, it.started_ns, it.started_monotonic_ns, now),
            )  # fmt: skip
            self._process = cursor.lastrowid or 0
        database.execute(
            "UPDATE processes SET updated_ns = ?, ended_ns = ?, reason = ? WHERE id = ?",
            (now, None if reason is None else now, reason and clean(reason), self._process),
        )

    def _write_rows(self, database: sqlite3.Connection, snapshot: Snapshot) -> None:
        process = self._process
        put = database.executemany
        put(
            "INSERT OR REPLACE INTO threads VALUES (?, ?, ?, ?, ?)",
            (
                (process, index, row.tid, clean(row.name), row.elapsed_ns)
                for index, row in enumerate(snapshot.threads)
            ),
        )
        self._write_functions(database)
        put(
            f"INSERT OR REPLACE INTO nodes VALUES ({process}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._node_rows(snapshot.nodes),
        )
        put(
            "INSERT OR REPLACE INTO histograms VALUES (?, ?, ?, ?)",
            (
                (process, self._rows[row.function], row.bucket, row.calls)
                for row in snapshot.histograms
            ),
        )
        put(
            "INSERT OR REPLACE INTO steps"
            " (process, name, kind, sequence, start_ns, elapsed_ns, value)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((process, *clean_step(row)) for row in snapshot.steps[self._n_steps :]),
        )
        self._n_steps = len(snapshot.steps)
        put(
            "INSERT OR REPLACE INTO losses VALUES (?, ?, ?)",
            ((process, clean(name), count) for name, count in snapshot.losses.items()),
        )

    def _write_functions(self, database: sqlite3.Connection) -> None:
        """Find or make the rows of the functions that this recording does not know from us yet."""
        for number in self._functions.keys() - self._rows.keys():
            row = self._functions[number]
            texts = map(clean, (row.module, row.qualname, row.name, row.file))
            record = (*texts, row.line)
            database.execute("INSERT OR IGNORE INTO functions VALUES (NULL, ?, ?, ?, ?, ?)", record)
            (self._rows[number],) = database.execute(
                "SELECT id FROM functions WHERE module = ? AND qualname = ? AND name = ?"
                " AND file = ? AND line = ?",
                record,
            ).fetchone()

    def _node_rows(self, nodes: list[NodeRow]) -> Iterator[tuple[int, ...]]:
        """Rows of the nodes that have changed: most of a tree rests at any time."""
        if len(nodes) > len(self._shapes):  # nodes are only ever added
            self._shapes = _shapes(nodes)
        for row in nodes:
            place, known = row.place, hash(row)
            if self._written.get(place) != known:
                self._written[place] = known
                shape = self._shapes.get(place, _AT_THE_TOP)
                yield *place, row.parent, self._rows[row.function], *shape, *row.figures


def _shapes(nodes: list[NodeRow]) -> dict[tuple[int, int], _Shape]:
    """The shape of each node, by its place."""
    children: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row in nodes:
        children.setdefault((row.thread, row.parent), []).append((row.node, row.function))
    shapes: dict[tuple[int, int], _Shape] = {}
    active: Counter[int] = Counter()
    for thread in {row.thread for row in nodes}:
        levels = [iter(children.get((thread, -1), ()))]
        path: list[int] = []
        while levels:
            node, function = next(levels[-1], (-1, -1))
            if node < 0:
                levels.pop()
                if path:
                    active[path.pop()] -= 1
                continue
            shapes[thread, node] = _Shape(len(path), int(not active[function]))
            path.append(function)
            active[function] += 1
            levels.append(iter(children.get((thread, node), ())))
    return shapes


def this_process() -> Process:
    """This one, which begins to be recorded now."""
    return Process(
        id=0,
        pid=os.getpid(),
        parent_pid=os.getppid(),
        host=os.uname().nodename,
        command=" ".join(sys.orig_argv or sys.argv),
        python=sys.version.split()[0],
        started_ns=time.time_ns(),
        started_monotonic_ns=time.monotonic_ns(),
    )
