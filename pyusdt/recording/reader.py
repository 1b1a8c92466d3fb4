# SPDX-License-Identifier: Apache-2.0
"""Reading a recording. It never writes: neither to the file, nor beside it."""

import sqlite3
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from pyusdt.errors import UserError
from pyusdt.recording import charged, checks, held, kernel_file, lined, lived, run, store
from pyusdt.recording import database as sql
from pyusdt.recording.build import DamageError, by_thread, tree_of
from pyusdt.recording.charges import Charges
from pyusdt.recording.counts import NODE
from pyusdt.recording.direct import Nodes
from pyusdt.recording.histogram import OLD_BUCKETS, middle_of_old
from pyusdt.recording.kernel_file import OfProcess
from pyusdt.recording.memory import StepMemory
from pyusdt.recording.model import Recording
from pyusdt.recording.parts import Part
from pyusdt.recording.records import CodeRecord, Process, Thread
from pyusdt.recording.snapshot import LATENCY, RUNNING, NodeFigures, StepRow, TotalFigures
from pyusdt.recording.tree import Node
from pyusdt.system import os

Progress = Callable[[int, int], None]
_PROGRESS_EVERY = 10_000
_FEW_NODES = 50_000
_TRIES = 5
_STEP_MEMORY = (
    ", rss_start_bytes, rss_end_bytes, allocated_bytes, freed_bytes, peak_bytes"  # 6 and later
)


def load(path: str | os.PathLike[str], progress: Progress | None = None) -> Recording:
    """The recording at `path`, with all its processes.

    `progress` is called with (nodes read, nodes in all) now and then. Of a large recording, call
    trees are read when they are asked for. Raise UserError when the file is missing, not ours, of a
    newer format, or damaged.
    """
    name = os.fspath(path)
    with store.explained(name), ExitStack() as opened:
        pending: list[Nodes] = []
        it = opened.enter_context(whole(name, pending))
        recording, trees = _read(it, store.version(it), name, pending, progress)
        if trees is not None:  # threads have it, also those of what is made from the recording
            weakref.finalize(trees, opened.pop_all().close)
        return recording


@contextmanager
def whole(path: str, pending: list[Nodes] | None = None) -> Iterator[sqlite3.Connection]:
    """All that the recording at `path` has, in its parts too. Nodes of a part go to `pending`, if
    it is given. Raises UserError, DamageError, and sqlite3's errors."""
    with ExitStack() as opened:
        file, parts, accounts = _with_parts(path, opened)
        checks.check(file, store.version(file))
        if not parts:
            yield file
            return
        with sql.new(store.identity(file)[0]) as it:
            sql.copy_rows(file, it)
            for token, some in parts.items():  # newer than what the file has of them
                sql.remove_process(it, token)
                run.add(it, token, some, pending, accounts)
            yield it


def _with_parts(
    path: str, opened: ExitStack
) -> tuple[sqlite3.Connection, dict[str, list[Part]], dict[int, OfProcess]]:
    """The file, and what is not in it yet, with the kernel's account of it. Who moves parts there
    puts a new file in its place first: where that has happened meanwhile, begin again."""
    accounts: dict[int, OfProcess] = {}
    for _ in range(_TRIES):
        before = _identity(path)
        file = opened.enter_context(store.opened(path))
        token, name = store.identity(file)
        if not name:
            return file, {}, {}
        try:
            with run.opened(path, name, token) as directory:
                parts = run.processes_in(directory)
                accounts = kernel_file.read(directory) if parts else {}
                run.read_sources(parts, directory)
        except OSError:
            parts = None
        if _identity(path) == before:
            break
    if parts is None and _is_empty(file):
        raise UserError(
            f"{path}: what was recorded is not in this file but in {name}, which is not beside it: "
            "move both, or make one file of them there: pyusdt report FILE -o COPY.pyusdt"
        )
    return file, parts or {}, accounts


def _identity(path: str) -> tuple[int, int, int]:
    it = os.stat(path)
    return it.st_dev, it.st_ino, it.st_mtime_ns


def _is_empty(database: sqlite3.Connection) -> bool:
    store.check_table(database, "processes")
    (count,) = database.execute("SELECT count(*) FROM processes").fetchone()
    return not count


def _read(
    database: sqlite3.Connection,
    version: int,
    path: str,
    pending: list[Nodes],
    progress: Progress | None,
) -> tuple[Recording, "_Trees | None"]:
    """All but the call trees, and what reads them; they too, and None, if they have few nodes."""
    place: dict[int, int] = {}
    records: list[CodeRecord] = []
    for number, *record in database.execute(
        "SELECT id, module, qualname, name, file, line FROM functions ORDER BY id"
    ):
        place[number] = len(records)
        records.append(CodeRecord(*record))
    processes = [
        charged.process(row)
        for row in database.execute(
            "SELECT id, pid, parent_pid, host, command, python, started_ns, started_monotonic_ns,"
            f" updated_ns, ended_ns, reason{', forked, flush_ns' if version >= 2 else ''}"
            f"{', sampled, times, kernel, paths' if version >= 4 else ''}"
            f"{', memory' if version >= 6 else ''}"
            " FROM processes ORDER BY started_ns, id"
        )
    ]
    charges = charged.charges(database, place) if version >= 4 else {}
    losses = dict(database.execute("SELECT name, sum(count) FROM losses WHERE count GROUP BY name"))
    (count,) = database.execute("SELECT count(*) FROM nodes").fetchone()
    count += sum(len(nodes.rows) // NODE.size for nodes in pending)
    few = version < 2 or count <= _FEW_NODES
    memory = held.read(database, place) if version >= 6 else []
    of_nodes = held.by_node(memory)
    trees = _Trees(path, database, place, pending, of_nodes, _counter(count, progress))
    threads = [t for process in processes for t in trees.threads(process, charges)]
    if few:
        checks.check_threads(database, threads)
        for thread in threads:
            assert thread.root
    recording = Recording(
        records=records,
        processes=processes,
        threads=threads,
        histograms=_read_histograms(database, place, version),
        latencies=_read_histograms(database, place, version, LATENCY) if version >= 3 else {},
        step_rows=_read_steps(database, version),
        losses=losses,
        path=path,
        totals=_read_totals(database, place) if version >= 2 else {},
        started=_read_started(database) if version >= 2 else {},
        charges=charges,
        kernel=charged.kernel(database, place) if version >= 4 else {},
        lines=lined.lines(database, place) if version >= 5 else {},
        sources=lined.sources(database) if version >= 5 else {},
        memory=memory,
        resident=held.resident(database) if version >= 6 else {},
        aged=lived.read(database, place) if version >= 6 else lived.Aged(),
    )
    return recording, None if few else trees


class _Trees:
    """Reads the call trees of threads."""

    def __init__(
        self,
        path: str,
        database: sqlite3.Connection,
        place: dict[int, int],
        pending: list[Nodes],
        memory: held.ByNode,
        seen: Callable[[], None],
    ) -> None:
        self._path = path
        self._database = database
        self._place = place
        self._pending = {(nodes.process, nodes.thread): nodes for nodes in pending}
        self._memory = memory
        self._seen = seen

    def threads(
        self, process: Process, charges: Mapping[tuple[int, int, int], Charges]
    ) -> list[Thread]:
        """Those of a process."""
        rows = self._database.execute(
            "SELECT thread, tid, name, elapsed_ns FROM threads WHERE process = ? ORDER BY thread",
            (process.id,),
        ).fetchall()
        own: dict[int, Charges | None] = {}
        if process.sampled:
            some = {key[1:]: it for key, it in charges.items() if key[0] == process.id}
            own |= by_thread(some, [row[0] for row in rows])
        return [
            Thread(
                process.id,
                index,
                tid,
                name,
                ns,
                partial(self._tree, process.id, index, ns, bool(own.get(index))),
                charges=own.get(index),
            )
            for index, tid, name, ns in rows
        ]

    def _tree(self, process: int, thread: int, elapsed_ns: int, is_charged: bool) -> Node:
        nodes = self._pending.get((process, thread))
        place = self._place if nodes is None else nodes.places(self._place)
        rows = self._rows(process, thread) if nodes is None else nodes.in_ns()
        with store.explained(self._path):
            charges = charged.by_node(self._database, process, thread) if is_charged else {}
            memory = self._memory.get((process, thread), {})
            return tree_of(rows, place, elapsed_ns, self._seen, charges, memory)

    def _rows(self, process: int, thread: int) -> Iterator[NodeFigures]:
        return self._database.execute(
            "SELECT thread, node, parent, function, calls, resumes, errors, elapsed_ns, self_ns"
            " FROM nodes WHERE process = ? AND thread = ? ORDER BY node",
            (process, thread),
        )


def _read_totals(
    database: sqlite3.Connection, place: dict[int, int]
) -> dict[tuple[int, int, int], TotalFigures]:
    totals = {}
    threads = set(database.execute("SELECT process, thread FROM threads"))
    for process, thread, function, *figures in database.execute(
        "SELECT process, thread, function, calls, primitive_calls, resumes, errors, total_ns,"
        " self_ns FROM totals"
    ):
        if function not in place:
            raise DamageError(f"totals name function {function}, which is not there")
        if (process, thread) not in threads:
            raise DamageError(f"totals are of thread {thread}, which is not there")
        totals[process, thread, place[function]] = TotalFigures(*figures)
    return totals


def _read_histograms(
    database: sqlite3.Connection, place: dict[int, int], version: int, kind: int = RUNNING
) -> dict[tuple[int, int], dict[int, int]]:
    histograms: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    column, rows = ("ns", f"WHERE kind = {kind}") if version >= 3 else ("bucket", "")
    for process, function, ns, count in database.execute(
        f"SELECT process, function, {column}, count FROM histograms {rows}"
    ):
        if function not in place:
            raise DamageError(f"a histogram names function {function}, which is not there")
        if version < 3:
            if ns >= OLD_BUCKETS:
                raise DamageError(f"a histogram has bucket {ns}, and the last is {OLD_BUCKETS - 1}")
            ns = middle_of_old(ns)
        histograms[process, place[function]][ns] = count
    return dict(histograms)


def _read_steps(database: sqlite3.Connection, version: int) -> dict[int, list[StepRow]]:
    steps: dict[int, list[StepRow]] = defaultdict(list)
    for process, *row in database.execute(
        "SELECT process, name, kind, sequence, start_ns, elapsed_ns, value"
        f"{_STEP_MEMORY if version >= 6 else ''} FROM steps ORDER BY process, sequence"
    ):
        known = row[6:] and None not in row[6:10]
        step = StepRow._make((*row[:6], StepMemory._make(row[6:]) if known else None))
        if step.kind not in ("step", "mark") or (step.elapsed_ns or 0) < 0:
            raise DamageError(f"step {step.sequence} is of no kind, or ends before it begins")
        steps[process].append(step)
    return dict(steps)


def _read_started(database: sqlite3.Connection) -> dict[int, dict[str, int]]:
    started: dict[int, dict[str, int]] = defaultdict(dict)
    for process, program, count in database.execute("SELECT process, program, count FROM started"):
        started[process][program] = count
    return dict(started)


def _counter(total: int, progress: Progress | None) -> Callable[[], None]:
    if progress is None:
        return lambda: None
    report = progress
    done = 0

    def seen() -> None:
        nonlocal done
        done += 1
        if done % _PROGRESS_EVERY == 0 or done == total:
            report(done, total)

    return seen
