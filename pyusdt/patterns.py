# SPDX-License-Identifier: Apache-2.0
"""Patterns of functions, as the settings `only` and `exclude` have them (src/filter.h)."""

import re
from collections.abc import Callable, Iterable

TYPE_CHECKING = False  # recordings are not for every program that is launched
if TYPE_CHECKING:
    from pyusdt.recording.snapshot import FunctionRow

Patterns = str | Iterable[str]


def text(patterns: Patterns | None) -> str:
    """`patterns` as one text, with commas; "" for none. Raises ValueError where one is empty."""
    if patterns is None:
        return ""
    parts = patterns.split(",") if isinstance(patterns, str) else list(patterns)
    parts = [part.strip() for part in parts]
    if not all(parts):
        raise ValueError(f"an empty pattern in {patterns!r}: as in 'myapp.views:Shop.*,myapp.db'")
    return ",".join(parts)


def chooser(only: str, exclude: str) -> Callable[[str, str], bool]:
    """Return what tells, of (module, qualname), whether `only` has it and `exclude` has not."""
    inside, outside = _matcher(only), _matcher(exclude)

    def wanted(module: str, qualname: str) -> bool:
        name = f"{module}:{qualname}"
        return bool((not only or inside(name)) and not (exclude and outside(name)))

    return wanted


def row_chooser(only: str, exclude: str, c_calls: bool) -> "Callable[[FunctionRow], bool]":
    """Return what tells whether a recording with these options has a function that was counted:
    others may have wanted more."""
    chosen = chooser(only, exclude)

    def wanted(row: "FunctionRow") -> bool:
        _, module, qualname, _, file, line = row
        if qualname == "(others)" and not file:
            return True
        if not (file or line or c_calls):  # a function in C
            return False
        return chosen(module, qualname)

    return wanted


def _matcher(patterns: str) -> Callable[[str], object]:
    return re.compile("|".join(map(_regex, patterns.split(","))), re.DOTALL).fullmatch


def _regex(pattern: str) -> str:
    """`module:qualname`, two globs of * and ?; without a colon, the module and all below it."""
    module, colon, qualname = pattern.partition(":")
    return _glob(module) + (":" + _glob(qualname) if colon else r"(\..*)?:.*")


def _glob(glob: str) -> str:
    return re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".")
