# SPDX-License-Identifier: Apache-2.0
"""Patterns that no function matches: a mistyped name would else be silence.

Names come from programs and recordings: messages with them go through `errors.print_line`.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from pyusdt import patterns

Names = Iterable[tuple[str, str]]
"""Of functions: module, qualname."""

_OF_LINES = ("*", "all", "profile")
"""What --lines takes for more than a pattern."""

_MOST = 50_000
"""Names that are compared."""


def messages(
    option: str, wanted: str, functions: Names, modules: Iterable[str], others: Names = ()
) -> Iterator[str]:
    """A line for each of the patterns of `option` that none of these `functions` matches, with the
    nearest name among them, the `others` and the `modules`."""
    functions, modules = set(functions), sorted(modules)
    words = _OF_LINES if option == "--lines" else ()
    for pattern in wanted.split(","):
        if not pattern or pattern in words:
            continue
        matches = patterns.chooser(pattern, "")
        if not any(matches(*name) for name in functions):
            found = nearest(pattern, {*functions, *others}, modules)
            yield f"{option} {pattern} matched no function" + (
                f"; nearest: {found}" if found else ""
            )


def nearest(pattern: str, functions: Names, modules: Iterable[str]) -> str:
    """The pattern that `pattern` may stand for, or ""."""
    functions = set(functions)
    known = {*modules, *(module for module, _ in functions)}
    module, colon, qualname = pattern.partition(":")
    if not any(map(patterns.glob(module), known)):
        found = closest(module, known)
        return found + colon + qualname if found else ""
    if not colon:
        return ""
    inside = patterns.glob(module)
    return closest(pattern, (f"{m}:{q}" for m, q in functions if inside(m)))


def of_modules(chosen: str) -> set[tuple[str, str]]:
    """Functions and methods that lie in this process's modules of the names that the patterns have.

    No code of the program runs: only dictionaries are looked into.
    """
    import sys
    from types import FunctionType, ModuleType

    found: set[tuple[str, str]] = set()
    for pattern in chosen.split(","):
        inside = patterns.glob(pattern.partition(":")[0])
        for name, module in list(sys.modules.items()):
            if type(name) is not str or type(module) is not ModuleType or not inside(name):
                continue
            for key, value in list(module.__dict__.items()):
                if type(value) is FunctionType:
                    found.add((name, value.__qualname__))
                elif type(value) is type and type(key) is str:
                    found.update((name, f"{key}.{method}") for method in list(value.__dict__))
    return found


def closest(word: str, names: Iterable[str]) -> str:
    """The name that is like `word`, or ""."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, islice(names, _MOST), n=1)), "")
