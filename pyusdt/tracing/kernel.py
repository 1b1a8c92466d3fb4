# SPDX-License-Identifier: Apache-2.0
"""The process that runs bpftrace beside a recording, for --kernel, and writes what it has counted.

It is nobody's child: a program must not find one that it has not started. It ends with the mark of
the run's end, or with the process that it watches, whatever ends that.
"""

import io
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple, TextIO

from pyusdt import libpyusdt, rundir
from pyusdt.errors import UserError
from pyusdt.launch.kernel_account import STARTING_SECONDS
from pyusdt.library import library_path
from pyusdt.rundir import KEEPER, KERNEL_ROWS
from pyusdt.tracing import bpftrace, kernel_program
from pyusdt.tracing.answer import parsed
from pyusdt.tracing.asleep import gils_of, waits_of
from pyusdt.tracing.kernel_rows import Account

REPORT_FD = 3
"""Where it reports "ready" and its pid, or why it cannot."""
_ENDING_SECONDS = 20.0
"""How long bpftrace may take for its end, when nobody waits for it any more."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Request(NamedTuple):
    """What is asked for."""

    directory: str
    """That of the run, where the file goes; "": the lines go to where it reports."""
    watched: int
    """The process whose end is the end."""
    mark: int
    pids: list[int]
    """What is followed from the beginning."""
    children: bool


class _Needs(NamedTuple):
    """What of the kernel the program needs."""

    name: str = "--kernel"
    has_kernel_events: bool = True
    has_tracepoint_arguments: bool = True
    has_kernel_types: bool = False


def main(text: str) -> None:
    """Do what is asked for, in JSON."""
    libpyusdt.stop()  # importing us has started it
    request = Request(*json.loads(text))
    if os.fork():
        os._exit(0)
    os.setsid()
    os.closerange(REPORT_FD + 1, 65536)
    errors = io.BytesIO()
    sys.stdout = sys.stderr = io.TextIOWrapper(errors)
    with suppress(OSError), open(REPORT_FD, "w", encoding="utf-8") as report:
        try:
            _keep(request, report)
        except (UserError, OSError) as error:
            said = errors.getvalue().decode(errors="replace").splitlines()
            report.write("; ".join([str(error).removesuffix(", see above"), *said[-1:]]))


def _keep(request: Request, report: TextIO) -> None:
    directory = -1
    if request.directory:
        directory = os.open(request.directory, _DIRECTORY)
        if not rundir.is_private(os.fstat(directory)):
            raise UserError(f"{request.directory}: not a private directory of this user")
    os.chdir("/")
    watched = _Watched(request.watched)
    printed = _Printed()
    what = kernel_program.What(
        request.mark,
        tuple(request.pids),
        waits_of(request.pids),
        request.children,
        gils_of([request.watched, *request.pids]),
    )
    data = bpftrace.Data(kernel_program.source(what), printed.take)
    installed = bpftrace.require(_Needs())
    with bpftrace.Tracer(installed, None, [library_path()], None, data) as tracer:
        watched.tracer = tracer
        signal.signal(signal.SIGTERM, watched.stop)
        signal.alarm(int(STARTING_SECONDS))  # kills us, and so bpftrace
        tracer.wait_attached(None)
        signal.alarm(0)
        report.write(f"ready {os.getpid()}\n")
        report.flush()
        if request.directory:
            os.dup2(os.open(os.devnull, os.O_WRONLY), REPORT_FD)
        code = tracer.relay_all(watched.has_ended)
    why = "" if printed.end_ns else f"bpftrace has ended with exit code {code}"
    begun = [request.watched, *request.pids] if why else []
    lines = Account(printed.maps, printed.on_ns, printed.end_ns, begun).lines(why)
    if request.directory:
        _write(directory, lines)
    else:
        report.writelines(f"{line}\n" for line in lines)


def _write(directory: int, lines: Iterable[str]) -> None:
    new = f"{KERNEL_ROWS}.new"
    with open(os.open(new, _NEW, 0o600, dir_fd=directory), "w", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in lines)
    os.rename(new, KERNEL_ROWS, src_dir_fd=directory, dst_dir_fd=directory)
    with suppress(OSError):
        os.unlink(KEEPER, dir_fd=directory)


class _Watched:
    """The process whose end is the end."""

    def __init__(self, pid: int) -> None:
        self.tracer: bpftrace.Tracer | None = None
        self._pidfd = os.pidfd_open(pid)
        self._is_stopped = False
        self._late = 0.0

    def stop(self, *_: object) -> None:
        """Take it for ended."""
        self._is_stopped = True

    def has_ended(self) -> bool:
        """Whether it has. Then bpftrace ends soon, or else is killed."""
        ended = self._is_stopped or bool(select.select([self._pidfd], [], [], 0)[0])
        if ended:
            now = time.monotonic()
            self._late = self._late or now + _ENDING_SECONDS
            if now > self._late and self.tracer:
                self.tracer.child.kill()
        return ended


class _Printed:
    """What bpftrace has printed."""

    def __init__(self) -> None:
        self.maps: dict[str, dict[str, Any]] = {}
        self.on_ns = self.end_ns = 0

    def take(self, line: bytes) -> None:
        """Take a line of it."""
        item = parsed(line) or {}
        data = item.get("data")
        if item.get("type") == "printf":
            self.on_ns, self.end_ns = map(int, str(data).split())
        elif item.get("type") in ("map", "stats") and isinstance(data, dict):
            self.maps |= {name: it for name, it in data.items() if isinstance(it, dict)}
