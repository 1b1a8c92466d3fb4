# SPDX-License-Identifier: Apache-2.0
"""The kernel's account of a run, --kernel: begins and ends the process that keeps it
(tracing/kernel.py).

What the end has to know is in the directory of the run: the program may become another one before.
The marks are a system call that the kernel refuses, and that bpftrace sees at once, whatever the
process may do by then.
"""

import sys
from contextlib import suppress
from json import dumps, loads
from typing import NamedTuple

from pyusdt.errors import UserError, print_line
from pyusdt.rundir import KEEPER, KERNEL_ROWS
from pyusdt.system import io, os, time

STARTING_SECONDS = 60.0
"""How long bpftrace may take to attach, on a busy machine; it is less than one mostly."""
ENDING_SECONDS = 5.0
SELF_MARK, END_MARK = 0x7FFFFFFF, 0x7FFFFFFE
"""In the place of a process's number."""
_PAUSE_SECONDS = 0.005
_REPORT_FD = 3
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_START = """
import sys
sys.path.append(sys.argv[1])
from pyusdt.tracing.kernel import main
main(sys.argv[2])
"""


class Keeper(NamedTuple):
    """The process that keeps the account."""

    pid: int
    mark: int
    """A number that nobody else knows."""
    report: int = -1
    """Where it writes the account when it is over, if that is not the directory of a run."""

    def follow(self, pid: int = SELF_MARK) -> None:
        """Follow a process, this one by default, and count from here on."""
        self._set(pid)

    def end(self) -> None:
        """Count no more."""
        self._set(END_MARK)

    def _set(self, what: int) -> None:
        """There is nothing of the kind of `mark` that has a priority."""
        with suppress(OSError):
            os.getpriority(self.mark, what)

    def lines(self) -> list[bytes]:
        """Those of the account, when it is over: once."""
        try:
            return _read(self.report, ENDING_SECONDS).splitlines()
        finally:
            os.close(self.report)


def begin(directory: str = "", *, pids: tuple[int, ...] = (), children: bool = True) -> Keeper:
    """Begin an account of these processes, and of those that mark themselves, until this one ends;
    it is written to the directory of a run, if that is given. Raises UserError where there can be
    none."""
    if os.geteuid() != 0:
        raise UserError("the kernel's account needs root: run it with sudo")
    mark = int.from_bytes(os.urandom(4)) & 0x7FFFFFFF | 0x40000000
    report = _started(dumps([directory, os.getpid(), mark, pids, children]))
    keeper = None
    try:
        first = _read(report, STARTING_SECONDS, b"\n").decode(errors="replace").strip()
        word, _, pid = first.partition(" ")
        if word != "ready":
            raise UserError(f"the kernel's account is not kept: {first or 'it has not begun'}")
        keeper = Keeper(int(pid), mark, -1 if directory else report)
        if directory:
            with io.open(os.open(f"{directory}/{KEEPER}", _NEW, 0o600), "w") as file:
                file.write(dumps([keeper.pid, mark]))
        return keeper
    finally:
        if keeper is None or directory:
            os.close(report)


def _started(request: str) -> int:
    """Start the process; where it reports."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    command = [sys.executable, "-I", "-c", _START, os.path.dirname(package), request]
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(_REPORT_FD)]
    report, its = os.pipe()
    try:
        actions = [(os.POSIX_SPAWN_DUP2, its, _REPORT_FD), *null]
        child = os.posix_spawn(
            sys.executable, command, os.environ, file_actions=actions, setsigmask=[]
        )
        os.waitpid(child, 0)  # it goes on in a process of its own
    except OSError as error:
        os.close(report)
        raise UserError(f"the kernel's account is not kept: {error}") from None
    finally:
        os.close(its)
    return report


def _read(report: int, seconds: float, until: bytes | None = None) -> bytes:
    """What it writes, to its end or these bytes, as far as it comes in time."""
    os.set_blocking(report, False)
    late = time.monotonic() + seconds
    text = b""
    while time.monotonic() < late and not (until and until in text):
        try:
            more = os.read(report, 65536)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
            continue
        if not more:
            break
        text += more
    return text


_launched: Keeper | None = None


def launch(directory: str, *, children: bool) -> None:
    """Begin that of a run that this process launches. Where there can be none, a line says why."""
    global _launched
    try:
        _launched = begin(directory, children=children)
    except UserError as error:
        print_line(f"{error}; all else is recorded")


def follow() -> None:
    """The program is about to begin."""
    if _launched:
        _launched.follow()


def end(directory: str, *, wait: bool) -> None:
    """End that of the run of this directory, if there is one."""
    keeper = None
    with suppress(OSError, ValueError), io.open(f"{directory}/{KEEPER}", "rb") as file:
        keeper = Keeper(*map(int, loads(file.read(100))))
    if keeper is None:
        return
    keeper.end()
    if wait and not _is_written(directory, keeper.pid):
        print_line("the kernel's account is lost: what kept it has ended, or hangs")


def _is_written(directory: str, keeper: int) -> bool:
    """Whether it is, before long."""
    late = time.monotonic() + ENDING_SECONDS
    alive = True
    while alive and time.monotonic() < late:
        alive = os.path.exists(f"/proc/{keeper}")
        if os.path.exists(f"{directory}/{KERNEL_ROWS}"):
            return True
        time.sleep(_PAUSE_SECONDS)
    return False
