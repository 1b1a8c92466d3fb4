# SPDX-License-Identifier: Apache-2.0
"""Reading a recording. It never writes: neither to the file, nor beside it."""

import os
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pyusdt.errors import UserError
from pyusdt.recording import store
from pyusdt.recording.build import DamageError, threads_of
from pyusdt.recording.histogram import BUCKETS
from pyusdt.recording.model import Recording
from pyusdt.recording.records import CodeRecord, Process, Thread
from pyusdt.recording.snapshot import NodeRow, StepRow, ThreadRow

Progress = Callable[[int, int], None]
_PROGRESS_EVERY = 10_000

# SQLite keeps any value in any column. These must hold whole numbers from the least on.
_NUMBERS = {
    "processes": {"id": 0, "pid": 0, "parent_pid": 0, "started_ns": 0, "started_monotonic_ns": 0,
                  "updated_ns": 0},
    "threads": {"process": 0, "thread": 0, "tid": 0, "elapsed_ns": 0},
    "functions": {"id": 0, "line": 0},
    "nodes": {"node": 0, "parent": -1, "function": 0, "calls": 0, "resumes": 0, "errors": 0,
              "elapsed_ns": 0, "self_ns": 0},
    "histograms": {"function": 0, "bucket": 0, "count": 0},
    "steps": {"sequence": 0, "start_ns": 0},
    "losses": {"count": 0},
}  # fmt: skip
_TEXTS = {
    "processes": ("host", "command", "python"),
    "threads": ("name",),
    "functions": ("module", "qualname", "name", "file"),
    "steps": ("name", "kind"),
    "losses": ("name",),
}


def load(path: str | os.PathLike[str], progress: Progress | None = None) -> Recording:
    """The recording at `path`, with all its processes.

    `progress` is called with (nodes read, nodes in all) now and then. Raise UserError when the
    file is missing, not ours, of a newer format, or damaged.
    """
    name = os.fspath(path)
    store.check_header(name)
    with store.explained(name), _opened(name) as database:
        try:
            database.execute("BEGIN")  # one moment, however often a process flushes meanwhile
            for table, columns in _NUMBERS.items():
                _check_numbers(database, table, columns)
            for table, names in _TEXTS.items():
                _check_texts(database, table, names)
            return _read(database, name, progress)
        except DamageError as e:
            raise UserError(f"{name}: damaged recording: {e}") from e


@contextmanager
def _opened(path: str) -> Iterator[sqlite3.Connection]:
    """A read-only connection. Where a process was killed in the middle of a flush, and left its
    journal beside the file, the rollback is a write, so it happens in a copy."""
    with closing(
        sqlite3.connect(_uri(path, "ro"), uri=True, timeout=30, isolation_level=None)
    ) as it:
        if not _needs_rollback(it):
            yield it
            return
    with tempfile.TemporaryDirectory(prefix="pyusdt-") as directory:
        copy = os.path.join(directory, "recording")
        shutil.copyfile(path + "-journal", copy + "-journal")
        shutil.copyfile(path, copy)
        with closing(sqlite3.connect(_uri(copy, "rw"), uri=True, isolation_level=None)) as it:
            yield it


def _needs_rollback(database: sqlite3.Connection) -> bool:
    """A journal alone proves nothing: a living process may be writing."""
    try:
        database.execute("SELECT count(*) FROM meta").fetchone()
    except sqlite3.OperationalError as e:
        return e.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
    except sqlite3.DatabaseError:
        pass  # damaged: the reader finds that out
    return False


def _uri(path: str, mode: str) -> str:
    return f"{Path(path).absolute().as_uri()}?mode={mode}"


def _check_numbers(database: sqlite3.Connection, table: str, columns: dict[str, int]) -> None:
    for column, least in columns.items():
        (wrong,) = database.execute(
            f"SELECT count(*) FROM {table}"
            f" WHERE typeof({column}) <> 'integer' OR {column} < {least}"
        ).fetchone()
        if wrong:
            raise DamageError(f"{table}.{column} is not a number from {least} on ({wrong} rows)")


def _check_texts(database: sqlite3.Connection, table: str, columns: Iterable[str]) -> None:
    for column in columns:
        (wrong,) = database.execute(
            f"SELECT count(*) FROM {table} WHERE typeof({column}) <> 'text'"
        ).fetchone()
        if wrong:
            raise DamageError(f"{table}.{column} is not text ({wrong} rows)")


def _read(database: sqlite3.Connection, path: str, progress: Progress | None) -> Recording:
    place: dict[int, int] = {}
    records: list[CodeRecord] = []
    for number, *record in database.execute(
        "SELECT id, module, qualname, name, file, line FROM functions ORDER BY id"
    ):
        place[number] = len(records)
        records.append(CodeRecord(*record))
    processes = [
        Process(*row)
        for row in database.execute(
            "SELECT id, pid, parent_pid, host, command, python, started_ns, started_monotonic_ns,"
            " updated_ns, ended_ns, reason FROM processes ORDER BY started_ns, id"
        )
    ]
    seen = _counter(database, progress)
    threads = [t for p in processes for t in _read_threads(database, p, place, seen)]
    return Recording(
        records=records,
        processes=processes,
        threads=threads,
        histograms=_read_histograms(database, place),
        step_rows=_read_steps(database),
        losses=dict(
            database.execute("SELECT name, sum(count) FROM losses WHERE count GROUP BY name")
        ),
        path=path,
    )


def _read_threads(
    database: sqlite3.Connection, process: Process, place: dict[int, int], seen: Callable[[], None]
) -> list[Thread]:
    threads = [
        ThreadRow(*row)
        for row in database.execute(
            "SELECT tid, name, elapsed_ns FROM threads WHERE process = ? ORDER BY thread",
            (process.id,),
        )
    ]
    nodes = database.execute(
        "SELECT thread, node, parent, function, calls, resumes, errors, elapsed_ns, self_ns"
        " FROM nodes WHERE process = ? ORDER BY thread, node",
        (process.id,),
    )
    return threads_of(process, threads, map(NodeRow._make, nodes), place, seen)


def _read_histograms(
    database: sqlite3.Connection, place: dict[int, int]
) -> dict[tuple[int, int], dict[int, int]]:
    histograms: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for process, function, bucket, count in database.execute(
        "SELECT process, function, bucket, count FROM histograms"
    ):
        if function not in place:
            raise DamageError(f"a histogram names function {function}, which is not there")
        if bucket >= BUCKETS:
            raise DamageError(f"a histogram has bucket {bucket}, and the last is {BUCKETS - 1}")
        histograms[process, place[function]][bucket] = count
    return dict(histograms)


def _read_steps(database: sqlite3.Connection) -> dict[int, list[StepRow]]:
    steps: dict[int, list[StepRow]] = defaultdict(list)
    for process, *row in database.execute(
        "SELECT process, name, kind, sequence, start_ns, elapsed_ns, value FROM steps"
        " ORDER BY process, sequence"
    ):
        steps[process].append(StepRow(*row))
    return dict(steps)


def _counter(database: sqlite3.Connection, progress: Progress | None) -> Callable[[], None]:
    if progress is None:
        return lambda: None
    report = progress
    (total,) = database.execute("SELECT count(*) FROM nodes").fetchone()
    done = 0

    def seen() -> None:
        nonlocal done
        done += 1
        if done % _PROGRESS_EVERY == 0 or done == total:
            report(done, total)

    return seen
