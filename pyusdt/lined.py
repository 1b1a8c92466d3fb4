# SPDX-License-Identifier: Apache-2.0
"""Marking functions whose lines are to be recorded: `@pyusdt.lines`.

What every process imports whose lines are recorded, so it is little.
"""

import builtins
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from pyusdt import libpyusdt as core
from pyusdt.system import io, os, time

_MOST_WRAPPERS = 100
_EXACTLY = 0.1  # seconds: how exactly the start of a process is known


def _started_ns() -> int:
    try:
        with io.open("/proc/self/stat", "rb", 0) as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
        return int((time.time() - age + _EXACTLY) * 1e9)
    except (OSError, ValueError, IndexError):
        return 0


STARTED_NS = _started_ns()
"""When this process began, on the clock of files; in the child of a fork that of its parent, whose
code it has. 0: not known."""

_marked = False


def lines[F](function: F) -> F:
    """Have the lines of this function recorded wherever it is recorded, and return it as it is.

    `function` is one in Python, of any kind: a method, static or class method, property, generator
    or coroutine function, or what wraps one; of a class, all that are in its body. The functions
    within it are not meant. Nothing else of the program gets slower.

    Raises TypeError for anything else.
    """
    global _marked
    found = list(_functions(function))
    if not found and not isinstance(function, type):
        raise TypeError(f"lines() marks functions in Python, not {type(function).__name__} objects")
    for one in found:
        core.lines_mark(one.__code__, one.__globals__)
    _marked = True
    return function


def _functions(it: Any) -> list[FunctionType]:
    """Those in Python that `it` leads to."""
    for _ in range(_MOST_WRAPPERS):
        if isinstance(it, property):
            return [one for part in (it.fget, it.fset, it.fdel) for one in _functions(part)]
        if isinstance(it, type):
            parts = [one for one in vars(it).values() if not isinstance(one, type)]
            return [one for part in parts for one in _functions(part)]
        if isinstance(it, staticmethod | classmethod | MethodType):
            it = it.__func__
        elif isinstance(it, partial):
            it = it.func
        elif (wrapped := _wrapped(it)) is not None:
            it = wrapped
        else:
            break
    return [it] if type(it) is FunctionType else []


def _wrapped(it: Any) -> Any:
    """What functools.wraps() has noted, without running code of the program."""
    try:
        return object.__getattribute__(it, "__dict__").get("__wrapped__")
    except AttributeError:
        return None


def any_marked() -> bool:
    """Whether the program has marked a function."""
    return _marked


def offer_profile() -> None:
    """Have a bare `@profile` mark functions."""
    builtins.profile = lines  # type: ignore[attr-defined]
