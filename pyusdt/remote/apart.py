# SPDX-License-Identifier: Apache-2.0
"""Work that a process of others may hold up, in threads that can be left behind.

What backs the memory and the files of a process may be another program of its user's (FUSE,
userfaultfd), which answers late or never; then the kernel lets nobody out of a read but by the
reader's end. A thread that is left behind ends with us, at the latest.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

_POLL_SECONDS = 0.01
_BUSY_SECONDS = 0.05
"""After so long at one item, another thread goes on with the others."""
_MOST_THREADS = 500


class LateError(Exception):
    """It took too long."""


def within[T](seconds: float, call: Callable[[], T]) -> T:
    """What `call()` returns or raises. Raises LateError where that takes longer."""
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise LateError
    return results[0]


def each_within[A, T](
    seconds: float, call: Callable[[A], T], items: Iterable[A]
) -> list[tuple[A, T | LateError]]:
    """What `call`, which raises nothing, returns for each item, in their order; LateError where
    that takes longer. However many are late, all take little more together."""
    order = list(items)
    todo = deque(order)
    done: dict[A, T | LateError] = {}
    walkers = [_Walker(call, todo, done)]
    while waiting := [w for w in walkers if w.is_alive() and w.seconds() < seconds]:
        if todo and waiting[-1].seconds() > _BUSY_SECONDS and len(walkers) < _MOST_THREADS:
            walkers.append(_Walker(call, todo, done))
        walkers[-1].join(_POLL_SECONDS)
    return [(item, done.get(item, LateError())) for item in order]


class _Walker[A, T](threading.Thread):
    """Goes from item to item."""

    def __init__(
        self, call: Callable[[A], T], todo: deque[A], done: dict[A, T | LateError]
    ) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._todo = todo
        self._done = done
        self._since = time.monotonic()
        self.start()

    def seconds(self) -> float:
        """How long it has been at its item."""
        return time.monotonic() - self._since

    def run(self) -> None:
        """Until no item is left."""
        while self._todo:
            try:
                item = self._todo.popleft()
            except IndexError:
                return  # another one has taken it
            self._since = time.monotonic()
            self._done[item] = self._call(item)
