# SPDX-License-Identifier: Apache-2.0
"""Patterns of functions: the language of src/base/filter.h, for what Python filters.

`only` and `exclude` mean the same everywhere: in the settings, in a recording, in reports and in
comparisons. tests/patterns.txt has cases that both implementations are checked with.
"""

import re
from collections.abc import Callable, Iterable

TYPE_CHECKING = False  # recordings are not for every program that is launched
if TYPE_CHECKING:
    from pyusdt.recording.snapshot import FunctionRow

Patterns = str | Iterable[str]

_ANY = r"[^\0]"  # a NUL stands between module and qualname, and is in neither


def text(name: str, patterns: Patterns | None) -> str:
    """`patterns` as one text, with commas; "" for none. `name` is what the user calls them.

    Raises ValueError where one of them is none.
    """
    if patterns is None:
        return ""
    parts = [patterns] if isinstance(patterns, str) and patterns else list(patterns)
    listed = [pattern.strip(" ") for part in parts for pattern in part.split(",")]
    for pattern in listed:
        if why := _fault(pattern):
            raise ValueError(f"{name} {why}")
    return ",".join(listed)


def _fault(pattern: str) -> str | None:
    """What is wrong with it, in the words of filter_check()."""
    if any(c <= " " or c == "\x7f" for c in pattern):
        return f"has a space or control character in '{pattern[:60]}': put a comma between patterns"
    if not pattern:
        return "has an empty pattern"
    if pattern.count(":") > 1:
        return (
            f"has more than one colon in '{pattern[:60]}': a pattern is module or module:qualname"
        )
    return None


def chooser(only: str, exclude: str) -> Callable[[str, str], bool]:
    """A predicate of (module, qualname): whether `only` has the function and `exclude` has not."""
    inside, outside = _matcher(only), _matcher(exclude)

    def wanted(module: str, qualname: str) -> bool:
        name = f"{module}\0{qualname}"
        return bool((not only or inside(name)) and not (exclude and outside(name)))

    return wanted


def row_chooser(only: str, exclude: str, c_calls: bool) -> "Callable[[FunctionRow], bool]":
    """A predicate of functions that were counted: whether a recording with these options has them.
    The core counts for all recorders at once, so it may have counted more."""
    chosen = chooser(only, exclude)

    def wanted(row: "FunctionRow") -> bool:
        if row.qualname == "(others)" and not row.file:
            return True
        if not (row.file or row.line or c_calls):  # a function in C
            return False
        return chosen(row.module, row.qualname)

    return wanted


def glob(pattern: str) -> Callable[[str], bool]:
    """A predicate of texts: whether the pattern is all of one. * is any characters, ? is one."""
    match = re.compile(_glob(pattern)).fullmatch
    return lambda candidate: match(candidate) is not None


def _matcher(patterns: str) -> Callable[[str], object]:
    parts = (pattern.strip(" ") for pattern in patterns.split(","))
    return re.compile("|".join(map(_regex, parts))).fullmatch


def _regex(pattern: str) -> str:
    """`module:qualname`, two globs; without a colon, the module and all below it."""
    module, colon, qualname = pattern.partition(":")
    if colon:
        return rf"{_glob(module)}\0{_glob(qualname)}"
    return rf"{_glob(module)}(?:\.{_ANY}*)?\0{_ANY}*"


def _glob(pattern: str) -> str:
    """What lies between two stars is taken where it first fits, and never tried elsewhere: a
    pattern of many stars would otherwise take for ever to fail."""
    first, *others = (re.escape(part).replace(r"\?", _ANY) for part in pattern.split("*"))
    if not others:
        return first
    *inner, last = others
    return first + "".join(f"(?>{_ANY}*?{part})" for part in inner if part) + f"{_ANY}*{last}"
