# SPDX-License-Identifier: Apache-2.0
"""What a decorated function returns to be awaited: the block lasts until that is done.

It stays what it is for the program: a future is the same object, and anything else passes for an
object of its class, with all its attributes.
"""

from collections.abc import Generator
from contextlib import AbstractContextManager
from types import CoroutineType, TracebackType
from typing import Any

Block = AbstractContextManager[Any, Any]

# Who has one of these is used in other ways than by await, which a stand-in does not know all.
_OTHER_USES = ("__aenter__", "__aiter__", "__anext__", "__enter__", "__next__")


def until_done(block: Block, awaited: Any) -> Any:
    """Return `awaited`, or what passes for it, and leave `block`, which the caller has entered,
    when it is done. An object that can also be used in other ways than by await ends it at once."""
    kind = type(awaited)
    if callable(getattr(kind, "add_done_callback", None)):
        ending = _Ending(block)
        awaited.add_done_callback(ending.at_done)
        return awaited
    if kind is CoroutineType:
        return _Coroutine(awaited, _Ending(block))
    if any(hasattr(kind, name) for name in _OTHER_USES):
        block.__exit__(None, None, None)
        return awaited
    return _Awaitable(awaited, _Ending(block))


class _Ending:
    """Leaves the block once. Others may enter it meanwhile, so a step takes its time along."""

    def __init__(self, block: Any) -> None:
        moved = getattr(block, "_moved", None)
        self._block = block if moved is None else moved()

    def __call__(self, error: BaseException | None = None) -> None:
        if self._block is not None:
            block, self._block = self._block, None
            kind = None if error is None else type(error)
            block.__exit__(kind, error, None)

    def at_done(self, future: Any) -> None:
        # exception() would mark the exception as retrieved, and Python would not report it.
        error = getattr(future, "_exception", None)
        self(error if isinstance(error, BaseException) else None)


class _Awaitable:
    """Passes for `awaited`, which is awaited by it."""

    __slots__ = ("__weakref__", "_awaited", "_ending")

    def __init__(self, awaited: Any, ending: _Ending) -> None:
        self._awaited = awaited
        self._ending = ending

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self._awaited)

    def __getattr__(self, name: str) -> Any:
        if name in ("_awaited", "_ending"):  # not there yet
            raise AttributeError(name)
        return getattr(self._awaited, name)

    def __repr__(self) -> str:
        return repr(self._awaited)

    def __await__(self) -> Generator[Any, Any, Any]:
        try:
            result = yield from self._awaited.__await__()
        except BaseException as error:
            self._ending(error)
            raise
        self._ending()
        return result

    def __del__(self) -> None:
        self._ending()


class _Coroutine(_Awaitable):
    """The same for a coroutine, which event loops resume by its methods."""

    __slots__ = ()

    def send(self, value: Any) -> Any:
        return self._resume(self._awaited.send, value)

    def throw(self, kind: Any, value: Any = None, traceback: TracebackType | None = None, /) -> Any:
        if value is None and traceback is None:  # three arguments are deprecated
            return self._resume(self._awaited.throw, kind)
        return self._resume(self._awaited.throw, kind, value, traceback)

    def close(self) -> None:
        self._resume(self._awaited.close)

    def _resume(self, method: Any, *args: Any) -> Any:
        try:
            result = method(*args)
        except StopIteration:
            self._ending()
            raise
        except BaseException as error:
            self._ending(error)
            raise
        if method == self._awaited.close:
            self._ending()
        return result
