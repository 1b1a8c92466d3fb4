# SPDX-License-Identifier: Apache-2.0
"""The ways in which a process comes to its end, or another one begins, while it is recorded.

`finish` is called at exit and by os._exit, which skips that and is how children of os.fork and
multiprocessing end, and `replaced` before os.exec*. Signals are the core's.
"""

import atexit
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Any, NoReturn

from pyusdt.system import os


class Endings:
    """Calls `finish(reason)` when the process is about to end, and `replaced(program)` when it is
    about to run another program, while that is `watched`.

    What was registered for the exit stays: to take it back, atexit would compare it with what the
    program has registered, by code of the program's.
    """

    def __init__(self, finish: Callable[[str], None], replaced: Callable[[Any], None]) -> None:
        self._module: Any = sys.modules["os"]
        self._finish = finish
        self._watched = False
        self._registered = False
        self._originals: dict[str, Callable[..., Any]] = {}

        def before(name: str, work: Callable[..., None]) -> Callable[..., NoReturn]:
            @wraps(getattr(os, name))
            def call(*args: Any, **kwargs: Any) -> NoReturn:
                work(*args, **kwargs)
                self._originals[name](*args, **kwargs)
                raise AssertionError(f"os.{name} has returned")

            return call

        self._ours = {
            "_exit": before("_exit", lambda *_, **__: finish("os._exit")),
            # All others of os.exec* call these two.
            "execv": before("execv", lambda path=None, *_, **__: replaced(path)),
            "execve": before("execve", lambda path=None, *_, **__: replaced(path)),
        }

    def watch(self, watched: bool) -> None:
        """Begin or cease to."""
        if watched and not self._registered:
            atexit.register(self._finish, "exit")
            self._registered = True
        for name, ours in self._ours.items():
            if watched and not self._watched:
                self._originals[name] = getattr(self._module, name)
                setattr(self._module, name, ours)
            elif self._watched and not watched and vars(self._module)[name] is ours:
                setattr(self._module, name, self._originals[name])
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
