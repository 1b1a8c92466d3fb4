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
MAGIC = 0x50795573
"""No kind of thing that has a priority: the first argument of the call that is a mark."""
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
    """The process that keeps the account, and that writes it to `directory`."""

    directory: str
    pid: int
    mark: int

    def follow(self) -> None:
        """Count what this process does from here on."""
        _set(self.mark)

    def end(self) -> None:
        """Count no more."""
        _set(self.mark + 1)

    def wait(self) -> bool:
        """Wait until it has written its account, not for long; False: it has not."""
        late = time.monotonic() + ENDING_SECONDS
        while time.monotonic() < late:
            alive = os.path.exists(f"/proc/{self.pid}")
            if os.path.exists(f"{self.directory}/{KERNEL_ROWS}"):
                return True
            if not alive:
                return False
            time.sleep(_PAUSE_SECONDS)
        return False


def begin(directory: str, *, pids: tuple[int, ...] = (), children: bool = True) -> Keeper:
    """Begin an account of these processes, and of those that mark themselves, until this one ends.
    Raises UserError where there can be none."""
    if os.geteuid() != 0:
        raise UserError("the kernel's account needs root: run it with sudo")
    mark = int.from_bytes(os.urandom(4)) & 0x7FFFFFFE
    request = [os.path.abspath(directory), os.getpid(), mark, pids, children]
    word, _, rest = _report_of(dumps(request)).partition(" ")
    if word != "ready":
        raise UserError(f"the kernel's account is not kept: {word} {rest}".strip())
    keeper = Keeper(directory, int(rest), mark)
    with io.open(os.open(f"{directory}/{KEEPER}", _NEW, 0o600), "w") as file:
        file.write(dumps([keeper.pid, mark]))
    return keeper


def _report_of(request: str) -> str:
    """Start the process; what it reports when it counts, or cannot."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    command = [sys.executable, "-I", "-c", _START, os.path.dirname(package), request]
    report, its = os.pipe()
    try:
        null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]
        actions = [*null, (os.POSIX_SPAWN_DUP2, its, _REPORT_FD)]
        child = os.posix_spawn(
            sys.executable, command, os.environ, file_actions=actions, setsigmask=[]
        )
        os.close(its)
        its = -1
        os.waitpid(child, 0)  # it goes on in a process of its own
        return _all_of(report)
    except OSError as error:
        raise UserError(f"the kernel's account is not kept: {error}") from None
    finally:
        os.close(report)
        if its >= 0:
            os.close(its)


def _all_of(report: int) -> str:
    os.set_blocking(report, False)
    late = time.monotonic() + STARTING_SECONDS
    text = b""
    while time.monotonic() < late:
        try:
            more = os.read(report, 4096)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
            continue
        if not more:
            return text.decode(errors="replace") or "it has ended"
        text += more
    return f"bpftrace has not attached within {STARTING_SECONDS:g} seconds"


def _set(mark: int) -> None:
    with suppress(OSError):
        os.getpriority(MAGIC, mark)


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
    keeper = _of(directory)
    if keeper is None:
        return
    keeper.end()
    if wait and not keeper.wait():
        print_line("the kernel's account is lost: what kept it has ended, or hangs")


def _of(directory: str) -> Keeper | None:
    with suppress(OSError, ValueError), io.open(f"{directory}/{KEEPER}", "rb") as file:
        pid, mark = map(int, loads(file.read(100)))
        return Keeper(directory, pid, mark)
    return None
