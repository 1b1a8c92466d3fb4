# SPDX-License-Identifier: Apache-2.0
"""The kernel's own account, by context: what `--kernel` has recorded."""

from typing import NamedTuple

KINDS = ("syscall", "offcpu", "fault", "read", "write", "block", "migration")


class KernelRow(NamedTuple):
    """What the kernel has counted in a context. `name` is that of a system call, the reason of a
    wait, "minor" or "major", or what was read or written: "file", "socket" or "other"."""

    thread: int
    """-1: none that was recorded."""
    node: int
    """-1: in no context that is known."""
    function: int
    """-1: in none."""
    kind: str
    name: str
    events: int
    ns: int
    n_bytes: int
    errors: int

    @property
    def figures(self) -> "KernelFigures":
        return KernelFigures(*self[5:])


class KernelFigures(NamedTuple):
    """What is counted; 0 where it means nothing for the kind."""

    events: int = 0
    ns: int = 0
    n_bytes: int = 0
    errors: int = 0

    def plus(self, other: "KernelFigures") -> "KernelFigures":
        return KernelFigures(*(a + b for a, b in zip(self, other, strict=True)))
