# SPDX-License-Identifier: Apache-2.0
"""What a calling context weighs in a flame graph: its own wall time, CPU time, waits, or memory."""

from collections.abc import Callable
from operator import attrgetter

from pyusdt.errors import UsageError
from pyusdt.recording import Node, Recording
from pyusdt.recording.charges import WAITS

_CLASS = "wait:"
_CHARGED = ("cpu", "user", "system", "wait", *(_CLASS + wait for wait in WAITS))
MEMORY = {
    "peak": "peak_bytes",
    "peak:blocks": "peak_blocks",
    "allocated": "allocated_bytes",
    "allocated:blocks": "allocated_blocks",
    "live": "live_bytes",
    "live:blocks": "live_blocks",
    "temporary": "temporary_bytes",
}
"""What is known where memory was recorded, with the field of MemoryFigures; bytes, or blocks."""


def chosen(recording: Recording, weight: str | None) -> str:
    """`weight`, or the one that is taken without it. Raises UsageError for what the recording has
    not."""
    weight = weight or "wall"
    there = ["wall"]
    there += _CHARGED if "cpu" in recording.known else ()
    there += MEMORY if "memory" in recording.known else ()
    if weight not in there:
        why = ": CPU and waits were not recorded" if weight in _CHARGED else ""
        why = ": memory was not recorded" if weight in MEMORY else why
        raise UsageError(f"report: --weight {weight}{why}; there are {', '.join(there)}")
    return weight


def of(weight: str) -> Callable[[Node], int]:
    """The own weight of a node, never below 0."""
    if weight == "wall":
        return lambda node: max(node.self_ns, 0)
    if weight in MEMORY:
        figure = attrgetter(MEMORY[weight])
        return lambda node: figure(node.memory) if node.held else 0
    measure = weight.removeprefix(_CLASS)
    return lambda node: node.charges.of(measure) if node.charges else 0
