# SPDX-License-Identifier: Apache-2.0
"""Recording a running process from outside: `pyusdt record -p PID`.

The process counts, in C, and hands its counts over in memory (pyusdt/process.py); all else is done
here. What it counts is asked for again and again, so that a process that ends or is killed
meanwhile takes no more than the last second with it.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Self

from pyusdt import files, line_patterns, patterns
from pyusdt.errors import UserError
from pyusdt.recording import Process as ProcessRow
from pyusdt.recording import Snapshot, plausible, run, store, writer
from pyusdt.recording.counts import NOTHING, Counts, unpack
from pyusdt.recording.kernel_file import OfProcess
from pyusdt.recording.snapshot import FunctionRow
from pyusdt.recording.totals import Totals
from pyusdt.remote import control_layout, control_requests, proc
from pyusdt.remote.attached import Process
from pyusdt.remote.control_layout import Times
from pyusdt.running import MAX_NODES

REFRESH_SECONDS = 1.0
_LEASE_MSEC = 10_000  # how long the process goes on when we are gone
_CLOCK_SECONDS = 0.02  # how exact the kernel is about when a process has started
_BYTES, _BYTES_A_NODE = 64 << 20, 200  # of counts, at most: a context has 56, its function more
_SHARE = 50  # it is stopped while it hands its counts over: for a part of the time like this


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be recorded; see `pyusdt.record`."""

    only: str = ""
    exclude: str = ""
    c_calls: bool = False
    max_nodes: int = MAX_NODES
    times: Times = "exact"
    lines: str = ""
    """Patterns of functions whose lines are recorded; `all` is everything, and `*` what is not
    installed."""
    memory: int = 0
    """The bits of memory.py."""


class Outside:
    """A recording of the process `pid`, for as long as the `with` lasts.

    `since` is for a process below another one, which is being recorded since then, in seconds after
    the machine's start. Raises UserError, here and from every method, when the process cannot be
    recorded.
    """

    def __init__(self, pid: int, options: Options, since: float | None = None) -> None:
        self._process = Process(pid, write=True)
        self._options = options
        self._functions: dict[int, FunctionRow] = {}
        try:
            status = self._process.status()
            self.row = _row(pid, status)
            if since is not None and self._is_forked(status, since):
                self.row = replace(self.row, forked=True)
                self._before, self._last = b"", self._ask(control_layout.RECORD_COUNTS)
            else:
                self._last = self._before = self._start(status)
        except BaseException:
            self._process.close()
            raise
        self.updated = time.monotonic()
        """When the counts were read last."""
        self.updated_ns = time.time_ns()
        """The same."""
        self.pause = REFRESH_SECONDS
        """How long to wait until they are read again, in seconds."""
        self._on = True

    def _is_forked(self, status: control_layout.Status, since: float) -> bool:
        """Whether it is the child of a fork, and so records already. Raises UserError where it is
        not yet what it is about to be."""
        pid = self._process.pid
        try:
            own, started = proc.own_pid(pid), proc.stat(pid).started
        except OSError:
            raise UserError(f"process {pid} has ended") from None
        if status["pid"] != own:
            raise UserError(f"process {pid} is still starting")
        return "outside" in status["recorded"] and started >= since - _CLOCK_SECONDS

    def _start(self, status: control_layout.Status) -> bytes:
        options = self._options
        return self._ask(
            control_layout.RECORD_START | control_layout.RECORD_COUNTS,
            {
                "record_options": control_requests.record_options(
                    only=options.only,
                    exclude=options.exclude,
                    c_calls=options.c_calls,
                    max_nodes=options.max_nodes,
                    lease_msec=_LEASE_MSEC + 2 * status["check_msec"],
                ),
                "record_timing": control_requests.record_timing(times=options.times),
                **self._lines(),
                **self._of_memory(),
            },
        )

    def _of_memory(self) -> dict[str, bytes]:
        if self._process.has_memory:
            return {"record_memory": control_requests.record_memory(self._options.memory)}
        if not self._options.memory:
            return {}
        raise UserError(
            f"process {self._process.pid} has an older pyusdt, which records no memory: "
            "start it with this one, or leave out --memory"
        )

    def _lines(self) -> dict[str, bytes]:
        if not self._process.has_lines:
            if self._options.lines:
                raise UserError(
                    f"process {self._process.pid} has an older pyusdt, which records no lines: "
                    "start it with this one, or leave out --lines"
                )
            return {}
        lines, of_program = line_patterns.wanted(self._options.lines)
        try:
            return {
                "record_lines": control_requests.record_lines(lines=lines, of_program=of_program)
            }
        except ValueError as error:
            raise UserError(str(error)) from None

    def _ask(self, bits: int, structs: dict[str, bytes] | None = None) -> bytes:
        most = _BYTES + _BYTES_A_NODE * self._options.max_nodes
        return self._process.record(bits, structs, most=most)

    def __enter__(self) -> Self:
        """Return the recording itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the process, which records no more."""
        with contextlib.suppress(UserError):
            self.stop()
        self._process.close()

    def update(self) -> None:
        """Read what was counted until now."""
        self._read(control_layout.RECORD_COUNTS)

    def stop(self) -> None:
        """Read what was counted until now, and record no more."""
        if self._on:
            self._on = False
            self._read(control_layout.RECORD_COUNTS | control_layout.RECORD_STOP)

    def snapshot(self, kernel: OfProcess | None = None) -> Snapshot:
        """What was recorded until the counts were read last; with the kernel's account of it."""
        options = self._options
        wanted = patterns.row_chooser(options.only, options.exclude, options.c_calls)
        try:
            before = self._unpack(self._before) if self._before else NOTHING
            now = self._unpack(self._last)
        except ValueError as error:
            raise UserError(f"process {self._process.pid} handed over {error}") from None
        try:
            plausible.require(before, self._functions)
            plausible.require(now, self._functions)
        except ValueError as error:
            raise UserError(
                f"process {self._process.pid} handed over counts that make no sense: {error}"
            ) from None
        rows = kernel.rows if kernel else ()
        snapshot = Totals(wanted).update(now, before, self._functions, kernel=rows)
        if kernel:
            kernel.note(snapshot)
        return snapshot

    def _unpack(self, data: bytes) -> Counts:
        return unpack(data, self._functions, version=self._process.version)

    def recorded(
        self, reason: str | None, kernel: dict[int, OfProcess] | None = None
    ) -> "Recorded":
        """The same, with the process; `reason` is why its recording ended, None if it did not. What
        `kernel` has for its pid is taken out of there."""
        account = kernel.pop(self.row.pid, None) if kernel else None
        return Recorded(self.row, reason, self.updated_ns, self.snapshot(account))

    def _read(self, bits: int) -> None:
        begin = time.monotonic()
        self._last = self._ask(bits)
        self.updated, self.updated_ns = time.monotonic(), time.time_ns()
        self.pause = max(REFRESH_SECONDS, _SHARE * (self.updated - begin))


def _row(pid: int, status: control_layout.Status) -> ProcessRow:
    parent = 0
    with contextlib.suppress(OSError):
        parent = proc.stat(pid).parent
    return ProcessRow(
        id=0,
        pid=pid,
        parent_pid=parent,
        host=os.uname().nodename,
        command=proc.command_of(pid),
        python=status["python"],
        started_ns=time.time_ns(),
        started_monotonic_ns=time.monotonic_ns(),
    )


@dataclass(frozen=True, slots=True)
class Recorded:
    """A process as it goes into the file; `reason` is why its recording ended; None: it did not."""

    row: ProcessRow
    reason: str | None
    updated_ns: int
    snapshot: Snapshot


@contextlib.contextmanager
def replacing(path: str) -> Iterator[Callable[[list[Recorded]], None]]:
    """Yield what writes a recording to `path`, in the place of an older one, when all is well.

    That it can be written is found out at once; until it is, what is there stays. Raises UserError.
    """
    name = os.path.abspath(path)
    with store.explained(path):
        run.check_replaceable(name)
        with files.written(name) as out:

            def write(processes: list[Recorded]) -> None:
                rows = ((p.row, p.reason, p.updated_ns, p.snapshot) for p in processes)
                out.write(writer.content_of(rows))

            yield write
