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
from dataclasses import dataclass
from typing import Self

from pyusdt import files, patterns
from pyusdt.errors import UserError
from pyusdt.recording import Process as ProcessRow
from pyusdt.recording import Snapshot, Writer, store
from pyusdt.recording.counts import unpack
from pyusdt.recording.snapshot import FunctionRow
from pyusdt.recording.totals import Totals
from pyusdt.remote import control_layout, proc
from pyusdt.remote.attached import Process

REFRESH_SECONDS = 1.0
_LEASE_MSEC = 10_000  # how long the process goes on when we are gone
_SHARE = 50  # it is stopped while it hands its counts over: for a part of the time like this


@dataclass(frozen=True, slots=True)
class Options:
    """What is to be recorded; see `pyusdt.record`."""

    only: str = ""
    exclude: str = ""
    c_calls: bool = False
    max_nodes: int = 500_000


class Outside:
    """A recording of the process `pid`, for as long as the `with` lasts.

    Raises UserError, here and from every method, when the process cannot be recorded.
    """

    def __init__(self, pid: int, options: Options) -> None:
        self._process = Process(pid, write=True)
        self._options = options
        self._functions: dict[int, FunctionRow] = {}
        try:
            status = self._process.status()
            self.row = _row(pid, status)
            lease = _LEASE_MSEC + 2 * status["check_msec"]
            self._last = self._before = self._process.record(
                control_layout.RECORD_START | control_layout.RECORD_COUNTS,
                control_layout.record_options(
                    only=options.only,
                    exclude=options.exclude,
                    c_calls=options.c_calls,
                    max_nodes=options.max_nodes,
                    lease_msec=lease,
                ),
            )
        except BaseException:
            self._process.close()
            raise
        self.updated = time.monotonic()
        """When the counts were read last."""
        self.pause = REFRESH_SECONDS
        """How long to wait until they are read again, in seconds."""
        self._on = True

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

    def snapshot(self) -> Snapshot:
        """What was recorded until the counts were read last."""
        options = self._options
        wanted = patterns.row_chooser(options.only, options.exclude, options.c_calls)
        try:
            before = unpack(self._before, self._functions)
            now = unpack(self._last, self._functions)
        except ValueError as error:
            raise UserError(f"process {self._process.pid} handed over {error}") from None
        return Totals(wanted).update(now, before, self._functions)

    def _read(self, bits: int) -> None:
        begin = time.monotonic()
        self._last = self._process.record(bits)
        self.updated = time.monotonic()
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


@contextlib.contextmanager
def replacing(path: str) -> Iterator[Callable[[ProcessRow, str | None, Snapshot], None]]:
    """Yield what writes a recording to `path`, in the place of an older one, when all is well.

    That it can be written is found out at once; until it is, what is there stays. Raises UserError.
    """
    if os.path.exists(path):
        store.check_header(path)
    path = os.path.realpath(path)
    with files.beside(path) as new:
        with store.explained(path):
            files.make_empty(new)
            os.unlink(new)

        def write(process: ProcessRow, reason: str | None, snapshot: Snapshot) -> None:
            writer = Writer(new, process=process)
            try:
                if reason is None:
                    writer.write(snapshot)
                else:
                    writer.close(reason, snapshot)
            except UserError as error:
                raise UserError(str(error).replace(new, path)) from None
            with store.explained(path):
                os.replace(new, path)

        yield write
