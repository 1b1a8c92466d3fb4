# SPDX-License-Identifier: Apache-2.0
"""Decorators from context managers: the block is the function's run, whatever kind it is of.

A generator's run is from its first step to its end, with what happens elsewhere while it is
suspended; a coroutine's and an asynchronous generator's likewise. The run of a function that
returns something to be awaited lasts until that is done.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from copy import copy, deepcopy
from functools import partial, update_wrapper
from types import CodeType, FunctionType, MethodType
from typing import Any

from pyusdt.awaiting import until_done

Block = AbstractContextManager[Any, Any]

_COROUTINE = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE


def decorate(block: Block, function: Any) -> Any:
    """Return a callable like `function`, each run of which is in `block`, which is entered again.

    A function becomes a function, of the same kind; another callable becomes a `Decorated`. Raises
    TypeError for what is no callable, and for classes.
    """
    if isinstance(function, staticmethod | classmethod):
        return type(function)(decorate(block, function.__func__))
    if isinstance(function, type) or not callable(function):
        what = f"{type(function).__name__} objects"
        if isinstance(function, type):
            what = f"the class {function.__name__}"
        name = type(block).__name__.lower()
        raise TypeError(f"{name}() decorates functions, not {what}")
    if type(function) is not FunctionType:
        return Decorated(block, function)
    return update_wrapper(_wrapper_for(function)(block, function), function)


class Decorated:
    """A callable that is no function, decorated: what else it has is still there.

    It passes for an object of the same class, so that what asks for one goes on finding it.
    """

    def __init__(self, block: Block, function: Any) -> None:
        """Decorate `function` with `block`."""
        update_wrapper(self, function)
        self._block = block
        self._run: Callable[..., Any] = _wrapper_for(function)(block, function)

    @property
    def __call__(self) -> Callable[..., Any]:
        """A function of the kind that calling it is of: frameworks look for `async def` there."""
        return self._run

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.__wrapped__)

    def __getattr__(self, name: str) -> Any:
        if name == "__wrapped__":  # not there yet: this is being made, or unpickled
            raise AttributeError(name)
        return getattr(self.__wrapped__, name)

    def __get__(self, instance: object, owner: Any = None) -> Any:
        """Bind as the callable itself does, if it does."""
        bind = getattr(type(self.__wrapped__), "__get__", None)
        if bind is None:
            return self
        bound = bind(self.__wrapped__, instance, owner)
        if type(bound) is MethodType and bound.__func__ is self.__wrapped__:
            return MethodType(self, bound.__self__)
        return self._of(bound)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """By reference if the callable itself is."""
        reduced = self.__wrapped__.__reduce_ex__(protocol)
        if isinstance(reduced, str):
            return reduced
        return decorate, (self._block, self.__wrapped__)

    def __copy__(self) -> Any:
        return self._of(copy(self.__wrapped__))

    def __deepcopy__(self, memo: Any) -> Any:
        return self._of(deepcopy(self.__wrapped__, memo))

    def _of(self, function: Any) -> Any:
        return self if function is self.__wrapped__ else decorate(self._block, function)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


def _wrapper_for(function: Callable[..., Any]) -> Callable[[Block, Callable[..., Any]], Any]:
    """The one of the functions below that returns the same kind of function."""
    flags = _flags(function) or _flags(type(function).__call__)
    if flags & inspect.CO_ASYNC_GENERATOR:
        return _async_generator
    if flags & _COROUTINE:
        return _coroutine
    return _generator if flags & inspect.CO_GENERATOR else _plain


def _flags(function: Any) -> int:
    """Those of the code that a call of it runs; 0: not known."""
    while isinstance(function, MethodType | partial):
        function = function.__func__ if isinstance(function, MethodType) else function.func
    code = getattr(function, "__code__", None)
    return code.co_flags if isinstance(code, CodeType) else 0


def _plain(block: Block, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        block.__enter__()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            block.__exit__(type(error), error, error.__traceback__)
            raise
        if result is not None and hasattr(type(result), "__await__"):
            return until_done(block, result)
        block.__exit__(None, None, None)
        return result

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
