# SPDX-License-Identifier: Apache-2.0
"""Which functions have their lines recorded: `@pyusdt.lines`, and what --lines asks for.

What every process imports whose lines are recorded, so it is little.
"""

import builtins
import sys
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from pyusdt import libpyusdt as core
from pyusdt.system import io, os, time

PROFILE = "profile"
"""Of --lines: what a bare `@profile` stands above, as in scripts for kernprof."""
MOST = 1023
"""Bytes of patterns that the core takes, and of directories."""
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


def is_profile(patterns: str) -> bool:
    """Whether what --lines asks for has `profile` in it."""
    return PROFILE in patterns.split(",")


def without_profile(patterns: str) -> str:
    """The others."""
    return ",".join(part for part in patterns.split(",") if part != PROFILE)


def wanted(patterns: str) -> tuple[str, str]:
    """What `patterns` ask of the core: patterns, and directories whose code has no lines unless a
    pattern names it. `all` is everything, and `*`, which comes first, what is outside of those
    directories."""
    parts = patterns.split(",") if patterns else []
    if "all" in parts:
        return "*", ""
    return _star_first(parts), _outside() if "*" in parts else ""


def union(some: list[tuple[str, str]]) -> tuple[str, str]:
    """What several recorders want together."""
    if ("*", "") in some:
        return "*", ""
    together = _star_first([part for text, _ in some if text for part in text.split(",")])
    if len(together.encode()) > MOST:
        return "*", ""  # more than any of them wants, rather than less
    return together, next((outside for _, outside in some if outside), "")


def _star_first(parts: list[str]) -> str:
    return ",".join(sorted(dict.fromkeys(parts), key="*".__ne__))


def _outside() -> str:
    """The directories of the standard library and of what is installed."""
    found = [os.path.dirname(os.__file__)]
    for path in sys.path:
        name = os.path.basename(path.rstrip("/")) if isinstance(path, str) else ""
        if name in ("site-packages", "dist-packages"):
            found.append(path.rstrip("/"))
    text = ""
    for directory in dict.fromkeys([*found, *map(os.path.realpath, found)]):
        more = f"{text}:{directory}" if text else directory
        if ":" not in directory and "\0" not in directory and len(os.fsencode(more)) <= MOST:
            text = more
    return text
