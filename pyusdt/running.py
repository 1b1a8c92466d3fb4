# SPDX-License-Identifier: Apache-2.0
"""The recorders that are running in this process, and what they want of the core together.

What every recorded process imports, so it is little. Whoever changes the state has `own_work`.
"""

import sys
from _thread import RLock
from functools import partial
from typing import Protocol

from pyusdt import libpyusdt as core
from pyusdt.errors import UserError, print_line
from pyusdt.exit_hooks import Endings, uninterrupted
from pyusdt.line_patterns import union
from pyusdt.lined import any_marked
from pyusdt.memory import together
from pyusdt.system import os

MAX_NODES = 280_000
"""Calling contexts that there is memory for: with what functions take, and with the copy that is
written at the end, a process takes at most about 100 MB more than without a recording."""


class Recorder(Protocol):
    """What records."""

    c_calls: bool
    times: str
    """Of calls: "exact", or "sampled"."""
    max_nodes: int
    path: str | None
    """Of its file."""
    offers: bool
    """The programs that this process starts are to take part in it."""

    lines: tuple[str, bool]
    """Of which functions lines are recorded: see `line_patterns.wanted`."""

    memory: int
    """Which memory is recorded: the bits of memory.KINDS."""

    @property
    def filters(self) -> tuple[str, str]:
        """Patterns: only, exclude."""

    def finish(self, reason: str) -> None:
        """The process ends: write. Raises UserError."""

    def make_file(self) -> None:
        """The process is about to be killed, and all is written: make the file, if that is its
        work. Raises UserError."""

    def begin_in_child(self) -> bool:
        """A fork has copied it; False: it does not record in the child."""


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


own_work = _OwnWork()
recorders: list[Recorder] = []
SIGNAL_SECONDS = 6.0
"""How long the end by a signal waits for a thread that ends a recording."""


_ordinals = 0


def new_ordinal() -> int:
    """That of a recorder that is made: 1, 2, ..."""
    global _ordinals
    _ordinals += 1
    return _ordinals


def start(recorder: Recorder) -> None:
    """Record for it. Raises UserError where that is not possible."""
    recorders.append(recorder)
    try:
        apply()
    except UserError:
        stop(recorder)
        raise
    attend()


def have_lines() -> bool:
    """Whether any lines are recorded in this process."""
    return any_marked() or any(recorder.lines[0] for recorder in recorders)


def stop(recorder: Recorder) -> None:
    """Record no more for it."""
    recorders.remove(recorder)
    apply()
    attend()


def attend() -> None:
    """Attend to the ends of the process while there is something to write then."""
    _endings.watch(any(recorder.path is not None for recorder in recorders))
    core.count_started(any(recorder.offers for recorder in recorders))


def apply() -> None:
    """Apply what all want together. Raises UserError where that is not possible."""
    if not recorders:
        core.record_stop()
        return
    c_calls = any(recorder.c_calls for recorder in recorders)
    sampled = all(recorder.times == "sampled" for recorder in recorders)
    max_nodes = max(recorder.max_nodes for recorder in recorders)
    filters = {recorder.filters for recorder in recorders}
    only, exclude = filters.pop() if len(filters) == 1 else ("", "")
    lines = union([recorder.lines for recorder in recorders])
    memory = together(recorder.memory for recorder in recorders)
    if not core.record(c_calls, sampled, max_nodes, only, exclude, *lines, memory):
        raise UserError(
            f"cannot record: {core.DORMANT[1]}, or it refuses; "
            "stop the other profiler or coverage tool, and try again"
        )


def _finish(reason: str) -> None:
    """The process ends: write what goes to a file. Each error is one line on stderr."""
    with own_work:
        for recorder in [recorder for recorder in recorders if recorder.path is not None]:
            try:
                with uninterrupted():
                    recorder.finish(reason)
            except UserError as failure:
                print_line(failure)


def _on_signal(_name: str) -> None:
    """The core has written all, and the signal ends the process when this returns."""
    if own_work.acquire(timeout=SIGNAL_SECONDS):
        # SQLite gives the GIL back for each row, and a busy thread would keep it that long.
        sys.setswitchinterval(1e-6)
        for recorder in recorders:
            try:
                recorder.make_file()
            except UserError as failure:
                print_line(failure)


def _before_exec(program: object) -> None:
    """The program is about to be replaced by another one. That may fail, and then it goes on."""
    with own_work:
        core.exec_begins(program)
        try:
            core.save_all("exec")
        except OSError as failure:
            print_line(failure)


def _after_fork_in_child() -> None:
    """The child records for itself, from here on."""
    recorders[:] = [recorder for recorder in recorders if recorder.begin_in_child()]
    if not recorders:
        core.record_stop()
    _endings.begin_again()
    attend()
    own_work.release()


_endings = Endings(partial(core.held, _finish), _before_exec)
core.on_ending(_on_signal)
os.register_at_fork(
    before=own_work.acquire,
    after_in_parent=own_work.release,
    after_in_child=_after_fork_in_child,
)
# The first before a fork, and the last after it: what a signal's handler raises in a hook is
# dropped by CPython, so that a Ctrl-C would be lost.
os.register_at_fork(
    before=partial(core.hold, True),
    after_in_parent=partial(core.hold, False),
    after_in_child=partial(core.hold, False),
)
