# SPDX-License-Identifier: Apache-2.0
"""`pyusdt.record`: the recorder inside the process, for a block or for the runs of a function."""

import os
import time
from _thread import RLock, get_ident
from contextlib import suppress
from dataclasses import replace
from signal import Signals
from types import TracebackType
from typing import Literal, Self

from pyusdt import libpyusdt as core
from pyusdt import patterns
from pyusdt.decorate import decorate
from pyusdt.errors import UserError, print_line
from pyusdt.exit_hooks import Endings, uninterrupted
from pyusdt.recording import Function, Node, Process, Recording, Snapshot, Step, Thread, Writer
from pyusdt.recording.counts import NOTHING, Counts, unpack
from pyusdt.recording.snapshot import FunctionRow
from pyusdt.recording.totals import Totals
from pyusdt.recording.writer import this_process

MAX_NODES = 500_000
SIGNAL_SECONDS = 8.0
"""How long a signal that ends the process waits for another thread that writes."""


class record:  # noqa: N801 - used like the functions that contextlib makes
    """Record what Python functions do: calls, own and total time, errors, by calling context.

    As a context manager it records while the block runs, as a decorator while the function does:

        with pyusdt.record("out.pyusdt") as rec:
            work()
        print(rec.functions[0].record.qualname)

        @pyusdt.record("out.pyusdt")
        async def serve(): ...

    path       where the recording is put: a new file, or in the place of an older recording. It is
               written at the end, and by child processes (os.fork, multiprocessing) at theirs.
               None: it is only kept in memory.
    only       patterns of the functions to record, as one text with commas or as several: globs
               `module:qualname`; without a colon, a module and all below it. The time of others
               belongs to their nearest recorded caller.
    exclude    patterns of functions not to record, even where `only` has them.
    c_calls    record the calls of C functions too, which costs more than as much again.
    max_nodes  how many calling contexts there is memory for, 128 bytes each. Calls in contexts
               beyond these are counted in one node "(others)", and in `losses`.
    threads    "all" of the process, or the "current" one: that which enters the block.
    flush      seconds between writes to `path` while it is being recorded, so that a process that
               is killed has lost no more; None: only at the end.
    join       add this process to the recording that is at `path`, rather than replace it.

    Steps and marks (`pyusdt.step`, `steps`, `mark`) are recorded too, one by one: see `steps`.

    Recording starts with the frames that are there: their time counts, the calls that led to them
    do not. It is for the whole process, so while a coroutine is recorded others that run meanwhile
    are too, and so is what happens while a generator is suspended.

    The same object may be entered again, by a recursion, by other threads, or later on: it records
    from the first entry to the last exit, and adds up over several such times. Different objects
    may be nested and may overlap; each has what happened in its own time.

    Raises `pyusdt.UserError` on entry if `path` cannot be written or other tools hold all
    ids of sys.monitoring that pyusdt may use; on exit if it cannot be written then, unless the
    block has raised: then the error is one line on stderr.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        only: patterns.Patterns | None = None,
        exclude: patterns.Patterns | None = None,
        c_calls: bool = False,
        max_nodes: int = MAX_NODES,
        threads: Literal["all", "current"] = "all",
        flush: float | None = None,
        join: bool = False,
    ) -> None:
        """Raise ValueError where a value is none of those that are described above."""
        if threads not in ("all", "current"):
            raise ValueError(f'threads is "all" or "current", not {threads!r}')
        if max_nodes < 1:
            raise ValueError(f"max_nodes is 1 or more, not {max_nodes}")
        if flush is not None and not 0 < flush < 1e9:
            raise ValueError(f"flush is a number of seconds above 0, not {flush}")
        if flush is not None and path is None:
            raise ValueError("flush needs a path to write to")
        self.path = None if path is None else os.fspath(path)
        self.c_calls = c_calls
        self.max_nodes = max_nodes
        self.flush = flush
        self._writer = None if path is None else Writer(path, replace=not join)
        self._filters = patterns.text("only", only), patterns.text("exclude", exclude)
        self._wanted = patterns.row_chooser(*self._filters, c_calls)
        self._serials: set[int] | None = None if threads == "all" else set()
        self._depth = 0
        self._started_ns = 0
        self._recording: Recording | None = None
        self._forget()

    def __enter__(self) -> Self:
        with _own_work:
            if self._depth == 0:
                self._begin()
            self._depth += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _own_work:
            self._depth -= 1
            if self._depth > 0 or self not in _running:
                return
            try:
                self._end("end" if kind is None else kind.__name__)
            except UserError as failure:
                if kind is None:
                    raise
                print_line(failure)

    def __call__[F](self, function: F) -> F:
        """Return a function like `function`, which is recorded while it runs: a function, method,
        static or class method, generator, coroutine or asynchronous generator function. A generator
        is recorded from its first step to its end. Raises TypeError for anything else."""
        decorated: F = decorate(self, function)
        return decorated

    @property
    def recording(self) -> Recording:
        """What was recorded until the end, or until now. See `pyusdt.load` for the same from a
        file."""
        with _own_work:
            if self in _running:
                self._update()
            if self._recording is None:
                self._recording = Recording.from_snapshot(self._snapshot, self._process())
            return self._recording

    @property
    def functions(self) -> list[Function]:
        """Functions with their totals over all threads, those with the most own time first."""
        with _own_work:
            return self.recording.functions

    @property
    def tree(self) -> Node:
        """The call trees of all threads as one; its `children` are the first functions."""
        with _own_work:
            return self.recording.tree

    @property
    def threads(self) -> list[Thread]:
        """The threads, each with its own call tree at `root`."""
        return self.recording.threads

    @property
    def steps(self) -> list[Step]:
        """Steps and marks by name, in the order in which they first came."""
        with _own_work:
            return self.recording.steps

    @property
    def losses(self) -> dict[str, int]:
        """What could not be recorded, and how often; empty when nothing was lost."""
        return self.recording.losses

    def _forget(self) -> None:
        """Be as if nothing had been recorded yet."""
        self._totals = Totals(self._wanted)
        self._functions: dict[int, FunctionRow] = {}
        self._before = NOTHING
        self._snapshot = Snapshot()
        self._recording = None

    def _process(self) -> Process:
        return replace(this_process(), started_ns=self._started_ns)

    def _begin(self) -> None:
        if self._writer is not None:
            self._writer.write(self._snapshot)
        self._started_ns = self._started_ns or time.time_ns()
        _running.append(self)
        try:
            _apply()
        except UserError:
            _running.remove(self)
            _apply()
            raise
        _attend()
        self._before = self._count()
        if self._serials is not None:
            me = get_ident()
            self._serials.update(t.serial for t in self._before.threads if t.ident == me)

    def _count(self) -> Counts:
        return unpack(core.recorded(), self._functions)

    def _update(self) -> None:
        counts = self._count()
        self._snapshot = self._totals.update(counts, self._before, self._functions, self._serials)
        self._recording = None

    def _end(self, reason: str) -> None:
        """Record no more, and write. Raises UserError, but not before it has stopped."""
        self._update()
        self._totals.settle()
        _running.remove(self)
        _apply()
        if self._writer is not None:
            try:
                with uninterrupted():
                    self._writer.close(reason, self._snapshot)
            finally:
                _attend()  # not before: a signal would end the process in the midst of it

    def _flush(self) -> None:
        """Bring the file up to date. Where that fails, the last write reports what is wrong."""
        self._update()
        if self._writer is not None:
            with suppress(UserError):
                self._writer.write(self._snapshot)


class _OwnWork:
    """One thread at a time runs the block, and nothing in it is recorded."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._depth = 0

    def acquire(self, timeout: float = -1) -> bool:
        if not self._lock.acquire(timeout=timeout):
            return False
        if self._depth == 0:
            core.hide(True)
        self._depth += 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            core.hide(False)
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


_own_work = _OwnWork()
_running: list[record] = []


def _attend() -> None:
    """Attend to the ends of the process while there is something to write then."""
    to_files = [rec for rec in _running if rec.path is not None]
    _endings.watch(bool(to_files))
    intervals = [rec.flush for rec in to_files if rec.flush is not None]
    core.flush(_tick if to_files else None, min(intervals, default=0))


def _apply() -> None:
    """Apply what all recordings want together. Raises UserError where that is not possible."""
    if not _running:
        core.record_stop()
        return
    c_calls = any(rec.c_calls for rec in _running)
    max_nodes = max(rec.max_nodes for rec in _running)
    filters = {rec._filters for rec in _running}
    only, exclude = filters.pop() if len(filters) == 1 else ("", "")
    if not core.record(c_calls, max_nodes, only, exclude):
        raise UserError(
            f"cannot record: {core.DORMANT[1]}, or it refuses; "
            "stop the other profiler or coverage tool, and try again"
        )


def _finish(reason: str) -> None:
    """The process ends: write what goes to a file. Each error is one line on stderr."""
    with _own_work:
        for rec in [rec for rec in _running if rec.path is not None]:
            try:
                rec._end(reason)
            except UserError as failure:
                print_line(failure)


def _tick(number: int) -> None:
    """The watcher calls: a flush, or the last one before signal `number`.

    It must not wait for a thread that writes, or forks and waits for the watcher itself.
    """
    if not _own_work.acquire(timeout=SIGNAL_SECONDS if number else 0):
        return
    try:
        if number:
            _finish(Signals(number).name)
            return
        for rec in _running:
            if rec.flush is not None:
                rec._flush()
    finally:
        _own_work.release()


def _after_fork_in_child() -> None:
    """The child records for itself, from here on, and writes to the same file."""
    for rec in _running:
        rec._forget()
        rec._started_ns = time.time_ns()
    _endings.begin_again()
    _own_work.release()


_endings = Endings(_finish)
os.register_at_fork(
    before=_own_work.acquire,
    after_in_parent=_own_work.release,
    after_in_child=_after_fork_in_child,
)
