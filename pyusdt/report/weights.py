# SPDX-License-Identifier: Apache-2.0
"""What a calling context weighs in a flame graph: its own wall time, CPU time, or waits."""

from collections.abc import Callable

from pyusdt.errors import UsageError
from pyusdt.recording import Node, Recording
from pyusdt.recording.charges import WAITS

_CLASS = "wait:"
_KNOWN = ("wall", "cpu", "user", "system", "wait", *(_CLASS + wait for wait in WAITS))


def chosen(recording: Recording, weight: str | None) -> str:
    """`weight`, or the one that is taken without it. Raises UsageError for what the recording has
    not."""
    weight = weight or "wall"
    there = _KNOWN if "cpu" in recording.known else _KNOWN[:1]
    if weight not in there:
        why = "" if weight not in _KNOWN else ": CPU and waits were not recorded"
        raise UsageError(f"report: --weight {weight}{why}; there are {', '.join(there)}")
    return weight


def of(weight: str) -> Callable[[Node], int]:
    """The own weight of a node, never below 0."""
    if weight == "wall":
        return lambda node: max(node.self_ns, 0)
    measure = weight.removeprefix(_CLASS)
    return lambda node: node.charges.of(measure) if node.charges else 0
