# SPDX-License-Identifier: Apache-2.0
"""The part that makes noise."""

from __future__ import annotations


def load(i: int) -> int:
    return i + 1


def refuse() -> None:
    raise ValueError("refused")


def swallow() -> None:
    try:
        refuse()
    except ValueError:
        pass
