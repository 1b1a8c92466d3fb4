# SPDX-License-Identifier: Apache-2.0
"""What the recorder hands over for its own process: rows, counted since it began.

A snapshot is cumulative, so a lost or late flush costs nothing but freshness. Indices are stable:
a thread, a node or a function keeps its number for as long as the process lives.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from pyusdt.recording.charges import ChargeRow
from pyusdt.recording.kernel import KernelRow
from pyusdt.recording.memory import MemoryRow, ResidentRow, StepMemory

if TYPE_CHECKING:
    from pyusdt.recording.aging import GrowthRow, LivingRow, PointRow
    from pyusdt.recording.source import Source

Value = int | float | str | None
"""Of a mark."""


class ThreadRow(NamedTuple):
    """A thread; its place in the list is its index."""

    tid: int
    name: str
    elapsed_ns: int
    """The thread's time while it was recorded."""


class FunctionRow(NamedTuple):
    """A function, by the number that this process knows it by."""

    id: int
    module: str
    qualname: str
    name: str
    file: str
    line: int


class Figures(NamedTuple):
    """What is counted in a calling context."""

    calls: int
    resumes: int
    errors: int
    elapsed_ns: int
    """Includes the children, not suspension."""
    self_ns: int


NodeFigures = tuple[int, int, int, int, int, int, int, int, int]
"""A `NodeRow` as the plain tuple that it is, of which a million are made faster."""


class NodeRow(NamedTuple):
    """A calling context."""

    thread: int
    node: int
    """Its index among those of the thread."""
    parent: int
    """The same of the one above it, or -1."""
    function: int
    calls: int
    resumes: int
    errors: int
    elapsed_ns: int
    self_ns: int

    @property
    def place(self) -> tuple[int, int]:
        """The thread and the node: what the node is known by."""
        return self[:2]

    @property
    def figures(self) -> tuple[int, int, int, int, int]:
        """What was counted, in the order of `Figures`."""
        return self[4:]


class TotalFigures(NamedTuple):
    """What is counted of a function, whatever became of its calling contexts."""

    calls: int
    primitive_calls: int
    """Those from outside the function, at any distance."""
    resumes: int
    errors: int
    total_ns: int
    """With all that it called; recursion counts once."""
    self_ns: int


class TotalRow(NamedTuple):
    """A function in a thread, with the figures of `TotalFigures`."""

    thread: int
    function: int
    calls: int
    primitive_calls: int
    resumes: int
    errors: int
    total_ns: int
    self_ns: int

    @property
    def figures(self) -> tuple[int, int, int, int, int, int]:
        """What was counted, in the order of `TotalFigures`."""
        return self[2:]


class LineRow(NamedTuple):
    """A line of a function in a thread."""

    thread: int
    function: int
    line: int
    hits: int
    """How often it began."""
    errors: int
    """Exceptions that were raised there, or came out of what it called."""
    total_ns: int
    """With all that it called; recursion counts once."""
    self_ns: int
    """Without the recorded functions that it called."""

    @property
    def key(self) -> tuple[int, int, int]:
        """Thread, function and line."""
        return self[:3]

    @property
    def figures(self) -> tuple[int, int, int, int]:
        """What was counted: hits, errors, and the two times."""
        return self[3:]


class HistogramRow(NamedTuple):
    """How many calls of a function took about so long (histogram.py)."""

    function: int
    ns: int
    calls: int
    kind: int = 0
    """RUNNING: from an entry to the next exit. LATENCY: of what was suspended, all of it."""


RUNNING, LATENCY = range(2)


class StepRow(NamedTuple):
    """A step that has ended, or a mark."""

    name: str
    kind: Literal["step", "mark"]
    sequence: int
    """Grows in the order of ends within the process."""
    start_ns: int
    """On CLOCK_MONOTONIC."""
    elapsed_ns: int | None
    """None for a mark."""
    value: Value
    memory: StepMemory | None = None
    """None: it is not known, or for a mark."""


@dataclass(slots=True)
class Snapshot:
    """Everything recorded in one process so far. `functions` may leave out what an earlier snapshot
    of the same process contained; `losses` maps what was lost to how many, and `started` programs
    that the process has started."""

    threads: list[ThreadRow] = field(default_factory=list)
    functions: list[FunctionRow] = field(default_factory=list)
    nodes: list[NodeRow] = field(default_factory=list)
    histograms: list[HistogramRow] = field(default_factory=list)
    steps: list[StepRow] = field(default_factory=list)
    losses: dict[str, int] = field(default_factory=dict)
    totals: list[TotalRow] = field(default_factory=list)
    started: dict[str, int] = field(default_factory=dict)
    charges: list[ChargeRow] = field(default_factory=list)
    sampled: bool = False
    """A sampler ran: what was not charged was not there."""
    times: str = "exact"
    """As `Process.times`."""
    kernel_rows: list[KernelRow] = field(default_factory=list)
    kernel: str | None = None
    """As `Process.kernel`."""
    lines: list[LineRow] = field(default_factory=list)
    memory: list[MemoryRow] = field(default_factory=list)
    resident: list[ResidentRow] = field(default_factory=list)
    memory_kinds: str | None = None
    """As `Process.memory`."""
    living: "list[LivingRow]" = field(default_factory=list)
    points: "list[PointRow]" = field(default_factory=list)
    growth: "list[GrowthRow]" = field(default_factory=list)
    sources: "dict[str, Source]" = field(default_factory=dict)
    """The texts of files, by their names."""


def clean(text: str) -> str:
    r"""`text` as every file format can hold it: lone surrogates and NULs become \udcXX, \x00."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def clean_step(row: StepRow) -> StepRow:
    """`row` with clean texts; an integer that 64 bits cannot hold becomes a float."""
    value = row.value
    if isinstance(value, str):
        value = clean(value)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = float(value)
    return row._replace(name=clean(row.name), value=value)
