# SPDX-License-Identifier: Apache-2.0
"""What the commands ask of running processes, in time: none of them can hold a command up."""

import os
from collections.abc import Callable
from typing import NamedTuple

from pyusdt.errors import UserError
from pyusdt.remote import proc
from pyusdt.remote.apart import LateError, each_within, within
from pyusdt.remote.attached import ANSWER_SECONDS, Process, libraries
from pyusdt.remote.control_layout import CHECK_MSEC_MAX, Status

_LOOK_SECONDS = 1.5  # for a process's whole status


class Found(NamedTuple):
    """What a look at all processes found."""

    statuses: dict[int, Status]
    """By pid, as it is seen from here."""
    problems: list[str]
    """Processes that have pyusdt loaded, but whose status cannot be read: why."""
    hidden: int
    """Processes that we may not look into."""


def status_of(pid: int) -> Status:
    """The status of one process. Raises UserError."""
    return _in_time(pid, _LOOK_SECONDS, lambda: _status_of(pid))


def change(pid: int, request: bytes) -> Status:
    """Send a struct pyusdt_request to a process, and return its status after it. Raises UserError;
    nothing has changed then."""

    def ask() -> Status:
        with Process(pid, write=True) as process:
            return process.change(request)

    return _in_time(pid, CHECK_MSEC_MAX / 1e3 + 3 * ANSWER_SECONDS, ask)


def _status_of(pid: int) -> Status:
    with Process(pid) as process:
        return process.status()


def _in_time[T](pid: int, seconds: float, call: Callable[[], T]) -> T:
    try:
        return within(seconds, call)
    except LateError:
        raise _late(pid) from None


def _late(pid: int) -> UserError:
    return UserError(f"process {pid} keeps those who look at it waiting")


def find_all() -> Found:
    """Return the status of every process that has pyusdt loaded, but for this one."""
    found = Found({}, [], 0)
    pids = [pid for pid in proc.pids() if pid != os.getpid()]
    for pid, it in each_within(_LOOK_SECONDS, _look, pids):
        if isinstance(it, PermissionError):
            found = found._replace(hidden=found.hidden + 1)
        elif isinstance(it, LateError):
            found.problems.append(str(_late(pid)))
        elif isinstance(it, UserError):
            if proc.exists(pid):
                found.problems.append(str(it))
        elif it is not None:
            found.statuses[pid] = it
    return found


def _look(pid: int) -> Status | UserError | PermissionError | None:
    """The status of a process, or why it cannot be read; None: it has no pyusdt, or has ended."""
    try:
        return None if next(libraries(pid), None) is None else _status_of(pid)
    except (UserError, PermissionError) as error:
        return error
    except OSError:
        return None
