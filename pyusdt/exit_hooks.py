# SPDX-License-Identifier: Apache-2.0
"""The ways in which a process comes to its end, or another one begins, while it is recorded.

`finish` is called at exit and by os._exit, which skips that and is how children of os.fork and
multiprocessing end; the core calls it before SIGTERM or SIGHUP ends the process.
"""

import atexit
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Any, NoReturn


class Endings:
    """Calls `finish(reason)` when the process is about to end, while that is `watched`.

    What was registered for the exit stays: to take it back, atexit would compare it with what the
    program has registered, by code of the program's.
    """

    def __init__(self, finish: Callable[[str], None]) -> None:
        self._finish = finish
        self._os_exit = os._exit
        self._watched = False
        self._registered = False

        @wraps(os._exit)
        def leave(status: int) -> NoReturn:
            finish("os._exit")
            self._os_exit(status)

        self._leave = leave

    def watch(self, watched: bool) -> None:
        """Begin or cease to."""
        if watched and not self._registered:
            atexit.register(self._finish, "exit")
            self._registered = True
        if watched and not self._watched:
            self._os_exit = os._exit
            os._exit = self._leave
        elif self._watched and not watched and vars(os)["_exit"] is self._leave:
            os._exit = self._os_exit
        self._watched = watched

    def begin_again(self) -> None:
        """In the child of a fork: multiprocessing may take what was registered for the exit."""
        self._registered = False
        self.watch(self._watched)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a Ctrl-C in the block take effect after it: what is being written is not torn apart."""
    pressed: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> Any:
        pressed.append(number)

    before = signal.getsignal(signal.SIGINT)
    try:
        if before is not None:  # None: set by C code: not ours to remove
            signal.signal(signal.SIGINT, remember)
    except ValueError:  # not the main thread: no interrupt comes here
        before = None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)
