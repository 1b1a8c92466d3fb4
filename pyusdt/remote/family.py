# SPDX-License-Identifier: Apache-2.0
"""Recording a running process and those below it, also those that begin meanwhile.

Each of those has a thread here, which waits until the process has pyusdt loaded, has it record, and
reads its counts again and again until it ends. A child by fork records from its beginning, another
one from when it is found. What a process does between the last reading and its end is lost.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from pyusdt.errors import UserError
from pyusdt.recording.kernel_file import OfProcess
from pyusdt.remote import proc
from pyusdt.remote.attached import GoneError, NotLoadedError
from pyusdt.remote.recording import Options, Outside, Recorded

_LOOK_SECONDS = 0.05
"""How often to look for processes that have begun."""
_FIRST_SECONDS, _LONGEST_SECONDS = 0.02, 1.0
"""How long to wait until a process is tried again that cannot be recorded yet."""
_REFRESH_SECONDS, _SHARE_SECONDS = 0.2, 0.01
"""How old the counts of a child get, which may end at any time; the second for each, where there
are many."""
_STOP_SECONDS = 5.0
"""How long all of them may take for their last counts."""
_MOST = 1000
"""How many there may be."""

_Key = tuple[int, float]
"""A process's number, which another one may get later, and when it has started."""


class Family:
    """A recording of the process `pid` and of those below it, for as long as the `with` lasts.

    Raises UserError when that process cannot be recorded.
    """

    def __init__(self, pid: int, options: Options, *, children: bool = True) -> None:
        self._pid = pid
        self._options = options
        self._children = children
        self._since = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.root = Outside(pid, options)
        self._followers: dict[_Key, _Follower] = {}
        self._stop = threading.Event()
        self._next = 0.0
        self._beyond = False

    def __enter__(self) -> Self:
        """Return the recording itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let go of all, which record no more."""
        try:
            self.stop_children()
        finally:
            self.root.__exit__(kind, error, traceback)

    def look(self) -> None:
        """Find processes that have begun, if it is time."""
        now = time.monotonic()
        if not self._children or now < self._next:
            return
        self._next = now + _LOOK_SECONDS
        for key in self._below():
            if key in self._followers:
                continue
            self._forget()
            if len(self._followers) >= _MOST:
                self._beyond = True
                return
            follower = _Follower(key, self._options, self._since, self._stop, self._pause)
            self._followers[key] = follower
            follower.start()

    def stop_children(self) -> None:
        """Read what was counted below the first process until now, and record no more there."""
        if not self._stop.is_set():
            self._next = 0.0
            self.look()
        self._stop.set()
        late = time.monotonic() + _STOP_SECONDS
        for follower in self._followers.values():
            follower.join(max(late - time.monotonic(), 0))

    def recorded(self, kernel: dict[int, OfProcess] | None = None) -> Iterator[Recorded]:
        """What those below the first process have done, when they are stopped; and the kernel's
        accounts, by pid."""
        for follower in self._followers.values():
            yield from follower.recorded(kernel)

    def notes(self) -> Iterator[str]:
        """What is not in the recording: a line for each kind."""
        lost = [f.lost_seconds for f in self._followers.values() if f.lost_seconds is not None]
        if lost:
            yield (
                f"processes whose last counts could not be read: {len(lost)}; they lack at most "
                f"{max(lost):.1f} seconds"
            )
        refused = [f.refusal for f in self._followers.values() if f.refusal]
        if refused:
            yield f"processes that are not recorded: {len(refused)}, as in: {refused[0]}"
        if self._beyond:
            yield f"processes beyond the first {_MOST:,} are not recorded"

    def _forget(self) -> None:
        """Those that have ended, and of which nothing is known."""
        for key, follower in list(self._followers.items()):
            if not follower.is_alive() and follower.is_blank():
                del self._followers[key]

    def _pause(self) -> float:
        return max(_REFRESH_SECONDS, _SHARE_SECONDS * len(self._followers))

    def _below(self) -> Iterator[_Key]:
        """The processes of the first one's user that it or another one has started, but for us."""
        seen = {self._pid, os.getpid()}
        parents = [self._pid, *(pid for pid, _ in self._followers)]
        user = None
        with suppress(OSError):
            user = os.stat(f"/proc/{self._pid}").st_uid
        while parents:
            for pid in proc.children(parents.pop()):
                if pid in seen:
                    continue
                seen.add(pid)
                parents.append(pid)
                with suppress(OSError):
                    it = proc.stat(pid)
                    if not it.is_ending and os.stat(f"/proc/{pid}").st_uid == user:
                        yield pid, it.started


class _Follower(threading.Thread):
    """Records one process until it ends, or `stop` is set; also the programs that it becomes."""

    def __init__(
        self,
        key: _Key,
        options: Options,
        since: float,
        stop: threading.Event,
        pause: Callable[[], float],
    ) -> None:
        super().__init__(daemon=True)
        self._key = key
        self._options = options
        self._since = since
        self._stop_event = stop
        self._pause = pause
        self._recorded: list[tuple[Outside, str | None]] = []
        """What it was, and why that was recorded no longer."""
        self.refusal = ""
        """Why it is not recorded."""
        self.lost_seconds: float | None = None
        """For how long it has done what is lost, at most; None: nothing is."""

    def run(self) -> None:
        """Follow it."""
        while (outside := self._attach()) is not None:
            with outside:
                gone = self._read(outside)
            self._recorded.append((outside, None if gone else "end"))
            if not gone:
                return

    def recorded(self, kernel: dict[int, OfProcess] | None) -> Iterator[Recorded]:
        """What it has done. One whose counts make no sense has refused."""
        for outside, reason in self._recorded:
            try:
                yield outside.recorded(reason, kernel)
            except UserError as error:
                self.refusal = str(error)

    def is_blank(self) -> bool:
        """Whether nothing of it is known."""
        return not self._recorded and not self.refusal

    def _attach(self) -> Outside | None:
        """Have it record, as soon as it can; None: it has ended, or it is too late. After `stop`,
        the child of a fork still has what it has done, so it is tried once."""
        pause = _FIRST_SECONDS
        tries = 0
        while self._lives() and not (tries and self._stop_event.is_set()):
            tries += 1
            try:
                outside = Outside(self._key[0], self._options, self._since)
            except NotLoadedError:
                self.refusal = ""
            except UserError as error:
                self.refusal = str(error)
            else:
                self.refusal = ""
                return outside
            self._stop_event.wait(pause)
            pause = min(2 * pause, _LONGEST_SECONDS)
        if not self._lives():
            self.refusal = ""
        return None

    def _read(self, outside: Outside) -> bool:
        """Until it is gone, True, or `stop` is set."""
        stopped = False
        while not stopped:
            stopped = self._stop_event.wait(self._pause())
            try:
                outside.stop() if stopped else outside.update()
            except UserError as error:
                if stopped or isinstance(error, GoneError):
                    lost = time.monotonic() - outside.updated
                    self.lost_seconds = max(lost, self.lost_seconds or 0.0)
                    return True
                # It is busy, and may answer the next time.
        return False

    def _lives(self) -> bool:
        with suppress(OSError):
            it = proc.stat(self._key[0])
            return not it.is_ending and it.started == self._key[1]
        return False
