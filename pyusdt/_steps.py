# SPDX-License-Identifier: Apache-2.0
"""The parts of steps that are Python: decorated functions, and `async for`.

Loaded by the core when one of them is used first.
"""

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator
from functools import update_wrapper
from typing import Any

from pyusdt.libpyusdt import Step, step


def decorate(step: Step, function: Any) -> Any:
    """Return a function like `function`, each call of which is a `step`.

    Raises TypeError for what is no function, nor a static or class method.
    """
    if isinstance(function, staticmethod | classmethod):
        return type(function)(decorate(step, function.__func__))
    if isinstance(function, type):
        raise TypeError(f"step() decorates functions, not the class {function.__name__}")
    if not callable(function):
        raise TypeError(f"step() decorates functions, not {type(function).__name__} objects")
    return update_wrapper(_wrapper_for(function)(step, function), function)


def _wrapper_for(function: Callable[..., Any]) -> Callable[..., Callable[..., Any]]:
    """The one of the functions below that returns the same kind of function."""
    if inspect.isasyncgenfunction(function):
        return _async_generator
    if inspect.iscoroutinefunction(function) or _is_old_coroutine(function):
        return _coroutine
    return _generator if inspect.isgeneratorfunction(function) else _plain


def _is_old_coroutine(function: Callable[..., Any]) -> bool:
    """Tell whether it is a generator that @types.coroutine lets others await."""
    code = getattr(function, "__code__", None)
    return bool(code and code.co_flags & inspect.CO_ITERABLE_COROUTINE)


def _plain(step: Step, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with step:
            return function(*args, **kwargs)

    return call


def _generator(step: Step, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with step:
            return (yield from function(*args, **kwargs))

    return call


def _coroutine(step: Step, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with step:
            return await function(*args, **kwargs)

    return call


def _async_generator(step: Step, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with step:
            generator = function(*args, **kwargs)
            resume = generator.__anext__()
            while True:
                try:
                    item = await resume
                except StopAsyncIteration:
                    return
                try:
                    sent = yield item
                except GeneratorExit:
                    await generator.aclose()
                    raise
                except BaseException as error:
                    resume = generator.athrow(error)
                else:
                    resume = generator.asend(sent)

    return call


class AsyncSteps[Item]:
    """The items of an asynchronous iterable; see `pyusdt.steps`."""

    def __init__(self, iterable: AsyncIterable[Item], name: str) -> None:
        """Begin to iterate. Raises TypeError unless `name` is a str."""
        self._running = False
        self._step = step(name)
        self._iterator = aiter(iterable)

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        self._end()
        item = await anext(self._iterator)
        self._running = True
        self._step.__enter__()
        return item

    def __del__(self) -> None:
        """The loop drops this at once on break, return and exceptions."""
        self._end()

    def _end(self) -> None:
        if self._running:
            self._running = False
            self._step.__exit__(None, None, None)
