# SPDX-License-Identifier: Apache-2.0
"""`pyusdt.record`: the recorder inside the process, for a block or for the runs of a function."""

import atexit
from _thread import get_ident
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, Self

from pyusdt import libpyusdt as core
from pyusdt import line_patterns, patterns, rundir, running, sources
from pyusdt.decorate import decorate
from pyusdt.errors import UserError, one_line, print_line
from pyusdt.exit_hooks import uninterrupted
from pyusdt.launch import inherited
from pyusdt.launch.options import TIMES
from pyusdt.memory import KINDS, Asked, word
from pyusdt.recording import Function, Node, Recording, Snapshot, Step, Thread, run, store
from pyusdt.recording.counts import NOTHING, unpack
from pyusdt.recording.pack import pack
from pyusdt.recording.snapshot import FunctionRow
from pyusdt.recording.source import Source
from pyusdt.recording.totals import Totals
from pyusdt.rundir import RunDirectory
from pyusdt.running import own_work
from pyusdt.system import os

MOST_BYTES = 4_000_000
"""Of parts that become a file at once at the end of a block."""


_begun: set[str] = set()


def _clean(path: str) -> None:
    """At exit: no process of ours comes back to the run."""
    with own_work, suppress(UserError):
        run.finish(path, MOST_BYTES, leaving=True)


def _restored(
    kind: type["record"], path: str | None, options: dict[str, Any], number: int
) -> "record":
    """The copy of a recorder of another process."""
    copy = kind(path, **options)
    copy._number = number
    return copy


class record:  # noqa: N801 - used like the functions that contextlib makes
    """Record what Python functions do: calls, own and total time, errors, by calling context.

    As a context manager it records while the block runs, as a decorator while the function does:

        with pyusdt.record("out.pyusdt") as rec:
            work()
        print(rec.functions[0].record.qualname)

        @pyusdt.record("out.pyusdt")
        async def serve(): ...

    path       where the recording is put: a new file, or in the place of an older recording. Child
               processes take part, and so does every Python of this environment that is started
               meanwhile. Each process writes what it has to a private directory beside the file,
               `.NAME.TOKEN`, at its end; when the block ends, the file is made of that. None: it is
               only kept in memory.
    only       patterns of the functions to record, as one text with commas or as several: globs
               `module:qualname`; without a colon, a module and all below it. The time of others
               belongs to their nearest recorded caller.
    exclude    patterns of functions not to record, even where `only` has them.
    c_calls    record the calls of C functions too, which costs more than as much again.
    times      "exact": of each call. "sampled": no clock is read at calls, which costs less: calls
               are exact, and times are those that the sampler finds by looking on; there are no
               percentiles. While another recorder of the process wants exact times, both have them.
    max_nodes  how many calling contexts there is memory for, 128 bytes each. Functions are exact
               whatever becomes of contexts. Calls in contexts beyond these are in nodes "(others)"
               of the call tree, below what called them, and counted in `losses`.
    lines      patterns of the functions whose lines are recorded too: hits and times of each. "*"
               is the program, without the standard library and what is installed; "all" is
               everything. Others that record meanwhile have these lines, too.
    memory     record what is allocated, too, and what of it is alive: True or "all"; "python":
               what Python's allocators hand out; "sampled": what samples of all stand for, which
               costs little, unless another recorder wants every block.
    source     keep the text of those lines, of files that were read as Python source.
    threads    "all" of the process, or the "current" one: that which enters the block.
    flush      seconds between writes while it is being recorded, so that a process that is killed
               has lost no more; None: only at the end. Signals whose default action ends the
               process have it write before, so this is for SIGKILL and crashes.
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
        times: Literal["exact", "sampled"] = "exact",
        max_nodes: int = running.MAX_NODES,
        threads: Literal["all", "current"] = "all",
        flush: float | None = None,
        join: bool = False,
        lines: patterns.Patterns | None = None,
        source: bool = True,
        memory: Asked = False,
    ) -> None:
        """Raise ValueError where a value is none of those that are described above."""
        if threads not in ("all", "current"):
            raise ValueError(f'threads is "all" or "current", not {threads!r}')
        if times not in TIMES:
            raise ValueError(f'times is "exact" or "sampled", not {times!r}')
        if max_nodes < 1:
            raise ValueError(f"max_nodes is 1 or more, not {max_nodes}")
        if flush is not None and not 0 < flush < 1e9:
            raise ValueError(f"flush is a number of seconds above 0, not {flush}")
        if flush is not None and path is None:
            raise ValueError("flush needs a path to write to")
        self.path = None if path is None else os.path.abspath(os.fspath(path))
        self.offers = path is not None
        self.c_calls = c_calls
        self.times: str = times
        self.max_nodes = max_nodes
        self.flush = flush
        self.filters = patterns.text("only", only), patterns.text("exclude", exclude)
        self._lines = patterns.text("lines", lines)
        if len(self._lines.encode()) > line_patterns.MOST:
            raise ValueError(f"lines is longer than {line_patterns.MOST} bytes")
        self.lines = line_patterns.wanted(self._lines)
        self._memory = word(memory)
        self.memory = KINDS[self._memory]
        self._source = source
        self._join = join
        self._wanted = patterns.row_chooser(*self.filters, c_calls)
        self._serials: set[int] | None = None if threads == "all" else set()
        self._number = inherited.number_of(self.path) if self.path else 0
        self._run: RunDirectory | None = None
        self._begun = False  # and not joined
        self._offers = False  # to the processes that this one starts
        self._opened = False  # it is this process that has entered the block
        self._block = os.urandom(8).hex()
        self._ordinal = running.new_ordinal()
        self._save = -1
        self._depth = 0
        self._recording: Recording | None = None
        self._forget()

    def __repr__(self) -> str:
        where = "in memory" if self.path is None else one_line(self.path)
        with own_work:
            # Not what it has: that may be much, and is asked for often.
            if self in running.recorders:
                head = f"{where}, recording>"
                below = [
                    "  what it has until now:",
                    "  .functions, .tree, .threads, .steps, .losses",
                ]
            else:
                ended = bool(self._times or self._snapshot.threads)
                head = f"{where}, {'ended' if ended else 'not entered yet'}>"
                below = [self.recording.summary]
        return "\n".join([f"<pyusdt.record: {head}", *below])

    def __enter__(self) -> Self:
        with own_work:
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
        with own_work:
            self._depth -= 1
            if self._depth > 0 or self not in running.recorders:
                return
            try:
                with uninterrupted():
                    self.finish("end" if kind is None else kind.__name__)
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

    def __reduce__(self) -> tuple[Any, ...]:
        """A decorated function may be sent to another process: there it takes part in the same
        recording."""
        only, exclude = self.filters
        options: dict[str, Any] = {
            "only": only or None,
            "exclude": exclude or None,
            "c_calls": self.c_calls,
            "times": self.times,
            "max_nodes": self.max_nodes,
            "threads": "all" if self._serials is None else "current",
            "flush": self.flush,
            "join": self._join,
            "lines": self._lines or None,
            "memory": self._memory or False,
            "source": self._source,
        }
        return _restored, (type(self), self.path, options, self._number)

    @property
    def recording(self) -> Recording:
        """What was recorded until the end, or until now. See `pyusdt.load` for the same from a
        file."""
        with own_work:
            self._fold()
            snapshot = self._snapshot
            if self in running.recorders:
                snapshot, self._recording = self._update(core.recorded()), None
                self._capture()
            if self._recording is None:
                if snapshot.lines:
                    texts = {file: Source.of(text) for file, text in self._sources.items()}
                    snapshot = replace(snapshot, sources=texts)
                self._recording = Recording.from_snapshot(snapshot, run.this_process())
            return self._recording

    @property
    def functions(self) -> list[Function]:
        """Functions with their totals over all threads, those with the most own time first."""
        with own_work:
            return self.recording.functions

    @property
    def tree(self) -> Node:
        """The call trees of all threads as one; its `children` are the first functions."""
        with own_work:
            return self.recording.tree

    @property
    def threads(self) -> list[Thread]:
        """The threads, each with its own call tree at `root`."""
        return self.recording.threads

    @property
    def steps(self) -> list[Step]:
        """Steps and marks by name, in the order in which they first came."""
        with own_work:
            return self.recording.steps

    @property
    def losses(self) -> dict[str, int]:
        """What could not be recorded, and how often; empty when nothing was lost."""
        return self.recording.losses

    def _forget(self) -> None:
        """Be as if nothing had been recorded yet."""
        self._totals = Totals(self._wanted)
        self._functions: dict[int, FunctionRow] = {}
        self._before = b""
        self._times: list[tuple[bytes, bytes]] = []  # counts before and after, not in _totals yet
        self._snapshot = Snapshot()
        self._sources: dict[str, str] = {}
        self._recording = None

    def _begin(self) -> None:
        self._fold()
        if self.path is not None and self._run is None:
            self._run, self._begun = self._begin_run(self.path)
        running.start(self)
        try:
            self._before = core.recorded()
            if self._serials is not None:
                me = get_ident()
                before = unpack(self._before, self._functions)
                self._serials.update(t.serial for t in before.threads if t.ident == me)
            if self._run is not None:
                self._save = self._begin_save(self._run)
                self._offers = not inherited.run_of(self._run.path)
                self._opened = self._offers
                if self._offers:
                    rundir.begin_block(self._run, self._block)
                    inherited.offer(
                        self._run,
                        flush=self.flush or 0,
                        c_calls=self.c_calls,
                        times=self.times,
                        max_nodes=self.max_nodes,
                        lines=self._lines,
                        memory=self._memory,
                        source=self._source,
                        block=self._block,
                    )
        except BaseException:
            running.stop(self)
            raise

    def _begin_run(self, path: str) -> tuple[RunDirectory, bool]:
        """Take part in the run of another recorder of this process, or of the process that has
        started this one, or begin one: True."""
        for other in running.recorders:
            if other.path == path and isinstance(other, record) and other._run is not None:
                return other._run, False
        if self._join:
            return run.join_file(path)
        with store.explained(path):
            if token := inherited.run_of(path):
                return rundir.join(path, token), False
            return run.begin(path, inherited.token(path, self._number))

    def _begin_save(self, it: RunDirectory) -> int:
        base = b""
        if self._snapshot.threads:
            base = pack(self._snapshot, self._totals.serials())
        about = rundir.about(
            only=self.filters[0],
            exclude=self.filters[1],
            c_calls=self.c_calls,
            times=self.times,
            flush=self.flush or 0,
            threads=None if self._serials is None else sorted(self._serials),
            sources=self._block if self._source else "",
        )
        place = os.fsencode(it.directory), it.device, it.inode
        with store.explained(it.path):
            return core.save_begin(
                self._ordinal, *place, about, base, self._before, self.flush or 0
            )

    def finish(self, reason: str) -> None:
        """Record no more, and write. Raises UserError, but not before it has stopped."""
        self._recording = None
        counts: bytes | None = None
        if self._run is not None and self._offers:
            inherited.withdraw(self._run, self._block)
            if self._opened:
                rundir.end_block(self._run, self._block)
        try:
            self._capture()
            if self._run is not None:
                save, self._save = self._save, -1
                with store.explained(self._run.path):
                    sources.save(self._run, self._block, self._sources)
                    counts = core.save_end(save, reason, True)
        finally:
            self._times.append((self._before, counts or core.recorded()))
            running.stop(self)
        self.make_file()
        if self._run is not None and self._begun and self._run.path not in _begun:
            _begun.add(self._run.path)
            atexit.register(_clean, self._run.path)

    def _capture(self) -> None:
        """Take the texts of the files whose lines were recorded."""
        if self._source and running.have_lines():
            self._sources |= sources.captured()

    def make_file(self) -> None:
        """If this process began the run, bring its file up to date. Raises UserError."""
        if self._run is not None and self._begun:
            run.finish(self._run.path, MOST_BYTES, run=self._run)

    def begin_in_child(self) -> bool:
        """The child of a fork records for itself."""
        self._forget()
        self._begun = self._opened = False
        return True

    def _fold(self) -> None:
        """Add up what was recorded until the last end."""
        for before, after in self._times:
            self._before = before
            self._snapshot = self._update(after)
            self._totals.settle()
        self._times = []

    def _update(self, counts: bytes) -> Snapshot:
        """All that was recorded, with what was counted since this time began."""
        before = unpack(self._before, self._functions) if self._before else NOTHING
        now = unpack(counts, self._functions)
        return self._totals.update(now, before, self._functions, self._serials)
