# SPDX-License-Identifier: Apache-2.0
"""What the recorder hands over for its own process: plain tuples, counted since it began.

A snapshot is cumulative, so a lost or late flush costs nothing but freshness. Indices are stable:
a thread, a node or a function keeps its number for as long as the process lives.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

# (tid, name, elapsed_ns): the thread's time while recorded. Its place in the list is its index.
ThreadRow = tuple[int, str, int]


class FunctionRow(NamedTuple):
    """A function, by the number that this process knows it by."""

    id: int
    module: str
    qualname: str
    name: str
    file: str
    line: int


# (thread index, node index, parent's node index or -1, function id,
#  calls, resumes, errors, elapsed_ns, self_ns). elapsed_ns includes the children, not suspension.
NodeRow = tuple[int, int, int, int, int, int, int, int, int]
# (function id, bucket, count): see histogram.py for the buckets.
HistogramRow = tuple[int, int, int]
# (name, "step" or "mark", sequence, start_ns, elapsed_ns or None, value or None).
# start_ns is CLOCK_MONOTONIC; sequence grows in the order of ends within the process.
StepRow = tuple[str, str, int, int, int | None, int | float | str | None]


@dataclass(slots=True)
class Snapshot:
    """Everything recorded in one process so far. `functions` may leave out what an earlier snapshot
    to the same `Writer` contained; `losses` maps what was lost to how many."""

    threads: list[ThreadRow] = field(default_factory=list)
    functions: list[FunctionRow] = field(default_factory=list)
    nodes: list[NodeRow] = field(default_factory=list)
    histograms: list[HistogramRow] = field(default_factory=list)
    steps: list[StepRow] = field(default_factory=list)
    losses: dict[str, int] = field(default_factory=dict)


def clean(text: str) -> str:
    r"""`text` as every file format can hold it: lone surrogates and NULs become \udcXX, \x00."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def clean_step(row: StepRow) -> StepRow:
    """`row` with clean texts; an integer that 64 bits cannot hold becomes a float."""
    name, kind, sequence, start_ns, elapsed_ns, value = row
    if isinstance(value, str):
        value = clean(value)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = float(value)
    return clean(name), kind, sequence, start_ns, elapsed_ns, value
