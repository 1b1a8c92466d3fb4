# SPDX-License-Identifier: Apache-2.0
"""The part of steps that is Python: `async for`. Loaded by the core when it is used first."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from pyusdt.libpyusdt import step


def async_steps(iterable: Any, name: str) -> "AsyncSteps[Any]":
    """Return an iterator over `iterable`, with a length if that has one."""
    kind = SizedAsyncSteps if hasattr(type(iterable), "__len__") else AsyncSteps
    return kind(iterable, name)


class AsyncSteps[Item]:
    """The items of an asynchronous iterable; see `pyusdt.steps`."""

    def __init__(self, iterable: AsyncIterable[Item], name: str) -> None:
        """Begin to iterate. Raises TypeError unless `name` is a str."""
        self._running = False
        self._step = step(name)
        self._iterable = iterable
        self._iterator = aiter(iterable)

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        self._end()
        item = await anext(self._iterator)
        self._running = True
        self._step.__enter__()
        return item

    def __reduce__(self) -> tuple[Any, ...]:
        return async_steps, (self._iterator, self._step.name)

    def __del__(self) -> None:
        """The loop drops this at once on break, return and exceptions."""
        self._end()

    def _end(self) -> None:
        if self._running:
            self._running = False
            self._step.__exit__(None, None, None)


class SizedAsyncSteps[Item](AsyncSteps[Item]):
    """The same with the length of the iterable."""

    def __len__(self) -> int:
        length: int = len(self._iterable)  # type: ignore[arg-type]
        return length
