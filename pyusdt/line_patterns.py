# SPDX-License-Identifier: Apache-2.0
"""What --lines asks for: patterns of functions, and the words `*`, `all` and `profile`.

What every recorded process imports, so it is little.
"""

PROFILE = "profile"
"""What a bare `@profile` stands above, as in scripts for kernprof."""
MOST = 1023
"""Bytes of patterns that the core takes."""


def is_profile(patterns: str) -> bool:
    """Whether they have `profile` in them."""
    return PROFILE in patterns.split(",")


def without_profile(patterns: str) -> str:
    """The others."""
    return ",".join(part for part in patterns.split(",") if part != PROFILE)


def wanted(patterns: str) -> tuple[str, bool]:
    """What they ask of the core: patterns, and whether a `*`, which comes first, is about the
    program alone, and not about the standard library and what is installed. `all` is everything."""
    parts = patterns.split(",") if patterns else []
    if "all" in parts:
        return "*", False
    return _star_first(parts), "*" in parts


def union(some: list[tuple[str, bool]]) -> tuple[str, bool]:
    """What several recorders want together."""
    if ("*", False) in some:
        return "*", False
    together = _star_first([part for text, _ in some if text for part in text.split(",")])
    if len(together.encode()) > MOST:
        return "*", False  # more than any of them wants, rather than less
    return together, any(of_program for _, of_program in some)


def _star_first(parts: list[str]) -> str:
    return ",".join(sorted(dict.fromkeys(parts), key="*".__ne__))
