# SPDX-License-Identifier: Apache-2.0
"""Decorators from context managers: the block is the function's run, whatever kind it is of.

A generator's run is from its first step to its end, with what happens elsewhere while it is
suspended; a coroutine's and an asynchronous generator's likewise.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from functools import update_wrapper
from typing import Any

Block = AbstractContextManager[Any, Any]


def decorate(block: Block, function: Any) -> Any:
    """Return a function like `function`, each run of which is in `block`, which is entered again.

    Raises TypeError for what is no function, nor a static or class method.
    """
    if isinstance(function, staticmethod | classmethod):
        return type(function)(decorate(block, function.__func__))
    if isinstance(function, type) or not callable(function):
        what = f"{type(function).__name__} objects"
        if isinstance(function, type):
            what = f"the class {function.__name__}"
        name = type(block).__name__.lower()
        raise TypeError(f"{name}() decorates functions, not {what}")
    return update_wrapper(_wrapper_for(function)(block, function), function)


def _wrapper_for(function: Callable[..., Any]) -> Callable[[Block, Callable[..., Any]], Any]:
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


def _plain(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with block:
            return function(*args, **kwargs)

    return call


def _generator(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with block:
            return (yield from function(*args, **kwargs))

    return call


def _coroutine(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with block:
            return await function(*args, **kwargs)

    return call


def _async_generator(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with block:
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
