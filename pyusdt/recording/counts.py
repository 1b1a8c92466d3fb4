# SPDX-License-Identifier: Apache-2.0
"""What the core has counted, as it hands it over: the layout of include/pyusdt_counts.h."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, NamedTuple

from pyusdt.recording.charges import KINDS
from pyusdt.recording.counted import CountedGrowth, CountedLiving, CountedPoint
from pyusdt.recording.memory import ResidentRow, StepMemory
from pyusdt.recording.snapshot import FunctionRow, Value

HEAD = Struct("=d2Q18I")
_OLDER_HEAD = Struct("=d2Q12I")
LOSS = Struct("=IIQ")
THREAD = Struct("=IIQQII")
NODE = Struct("=IIiIQQQQQ")
TOTAL = Struct("=II6Q")
DURATION = Struct("=IIQQII")
CHARGE = Struct("=IIIHHIIQiI")
_OLDER_CHARGE = Struct("=IIIHHIIQ")
LINE = Struct("=IIiI4Q")
MEMORY = Struct("=IIIi9Q")
RESIDENT = Struct("=4Q")
LIVING = Struct("=IIIi3Q")
POINT = Struct("=QQII")
GROWTH = Struct("=IIIiIIQ")
FUNCTION = Struct("=Ii4I")
STEP = Struct("=QQQII")
STEP_MEMORY = Struct("=6Q")
NAME = Struct("=I")
_CODECS = (
    LOSS, THREAD, NODE, TOTAL, DURATION, CHARGE, LINE, MEMORY, RESIDENT, LIVING, POINT, GROWTH,
    FUNCTION, STEP, STEP_MEMORY, NAME,
)  # fmt: skip
_LINES, _STEP_MEMORY = _CODECS.index(LINE), _CODECS.index(STEP_MEMORY)
_HAS_LINES, _HAS_MEMORY = 6, 7  # control versions from which on there are such rows
RUN, MARK, INTEGER, REAL, TEXT = range(5)
SAMPLED, TIMES_SAMPLED = 1, 2
MEMORY_FLAGS = {"python": 4, "all": 4 | 8, "sampled": 4 | 8 | 16, "python, sampled": 4 | 16}
"""The flags of counts, and those of memory."""
_KINDS = {flags: kinds for kinds, flags in MEMORY_FLAGS.items()}
NO_NODE = 2**32 - 1
NO_PEAK = 2**64 - 1
THREAD_ITSELF = 0
"""The function of a charge that is of none."""
_SIGNED, DOUBLE, WORD = Struct("=q"), Struct("=d"), Struct("=Q")


class CountedThread(NamedTuple):
    """A thread, also one that has ended."""

    serial: int
    ident: int
    """What Python calls it; 0: it has ended."""
    tid: int
    name: str
    elapsed: int


class CountedNode(NamedTuple):
    """A calling context; its figures are those of `snapshot.Figures`, with times in ticks."""

    serial: int
    node: int
    parent: int
    """The context above it, or -1."""
    function: int
    calls: int
    resumes: int
    errors: int
    elapsed: int
    own: int

    @property
    def key(self) -> tuple[int, int]:
        """Thread and node: what the core knows it by."""
        return self[:2]

    @property
    def ticks(self) -> tuple[int, int, int, int, int]:
        """What was counted: calls, resumes, errors, and the two times in ticks."""
        return self[4:]


class CountedTotal(NamedTuple):
    """A function in a thread, whatever became of its contexts; the figures are those of
    `snapshot.TotalFigures`, with times in ticks."""

    serial: int
    function: int
    calls: int
    primitive_calls: int
    resumes: int
    errors: int
    total: int
    own: int

    @property
    def key(self) -> tuple[int, int]:
        """Thread and function."""
        return self[:2]

    @property
    def ticks(self) -> tuple[int, int, int, int, int, int]:
        """What was counted: four counts, and the two times in ticks."""
        return self[2:]


class CountedDuration(NamedTuple):
    """How many calls of a function took about that long, in ticks."""

    serial: int
    function: int
    ticks: int
    calls: int
    kind: int = 0
    """As in `snapshot.HistogramRow`."""

    @property
    def key(self) -> tuple[int, int]:
        """Thread and function."""
        return self[:2]

    @property
    def histogram(self) -> tuple[int, int, int]:
        """Thread, function and kind."""
        return self.serial, self.function, self.kind


class CountedCharge(NamedTuple):
    """What the sampler has charged to a context, of one kind."""

    serial: int
    node: int
    """NO_NODE: it was given up."""
    function: int
    """THREAD_ITSELF: none."""
    kind: str
    syscall: int
    line: int
    """0: none."""
    samples: int
    ns: int

    @property
    def key(self) -> tuple[int, int, int, str, int, int]:
        """All that it is of."""
        return self[:6]


class CountedLine(NamedTuple):
    """A line of a function in a thread, whatever became of its contexts; times are in ticks."""

    serial: int
    function: int
    line: int
    hits: int
    errors: int
    total: int
    own: int

    @property
    def key(self) -> tuple[int, int, int]:
        """Thread, function and line."""
        return self[:3]

    @property
    def ticks(self) -> tuple[int, int, int, int]:
        """What was counted: hits, errors, and the two times in ticks."""
        return self[3:]


class CountedMemory(NamedTuple):
    """What a context has allocated while the program stood at a line; the figures are those of
    `snapshot.MemoryFigures`."""

    serial: int
    """0: no thread that has a call tree."""
    node: int
    """NO_NODE: it was given up."""
    function: int
    """THREAD_ITSELF: none."""
    line: int
    """Of the function, or, where that is in C, of what called it; 0: none."""
    allocated_bytes: int
    allocated_blocks: int
    freed_bytes: int
    freed_blocks: int
    temporary_bytes: int
    temporary_blocks: int
    peak_bytes: int
    peak_blocks: int
    biggest: int

    @property
    def key(self) -> tuple[int, int, int, int]:
        """All that it is of."""
        return self[:4]


class CountedStep(NamedTuple):
    """A step that has ended, or a mark."""

    ident: int
    """Of the thread."""
    name: str
    start: int
    elapsed: int | None
    """None: it is a mark."""
    value: Value


@dataclass(frozen=True, slots=True)
class Counts:
    """What the core has counted until a moment; times in ticks of its clock."""

    ns_per_tick: float
    threads: list[CountedThread]
    nodes: list[CountedNode]
    histograms: list[CountedDuration]
    losses: dict[str, int]
    steps: list[CountedStep] = field(default_factory=list)
    now: int = 0
    """The moment, in ticks."""
    now_ns: int = 0
    """The same on CLOCK_MONOTONIC."""
    totals: list[CountedTotal] = field(default_factory=list)
    charges: list[CountedCharge] = field(default_factory=list)
    lines: list[CountedLine] = field(default_factory=list)
    memory: list[CountedMemory] = field(default_factory=list)
    sampled: bool = False
    """A sampler charged: CPU and waits are known."""
    times_sampled: bool = False
    """Times are those of the charges, and all others but those of threads are 0."""
    resident: list[ResidentRow] = field(default_factory=list)
    memory_kinds: str | None = None
    """As `records.Process.memory`."""
    living: list[CountedLiving] = field(default_factory=list)
    points: list[CountedPoint] = field(default_factory=list)
    growth: list[CountedGrowth] = field(default_factory=list)
    step_memory: dict[int, StepMemory] = field(default_factory=dict)
    """By the number of the step, among all steps and marks since the recorder began."""


NOTHING = Counts(1.0, [], [], [], {})


def unpack(data: bytes, functions: dict[int, FunctionRow], *, version: int = _HAS_MEMORY) -> Counts:
    """Return what the bytes hold; add the functions that they name to `functions`. `version` is
    that of the control struct: in 5, charges had no line.

    Raises ValueError for bytes that are none of these.
    """
    try:
        return _unpack(data, functions, version)
    except (struct.error, IndexError, ValueError) as error:
        raise ValueError(f"counts that make no sense: {error}") from None


def split(data: bytes) -> tuple[bytes, memoryview]:
    """The bytes without their nodes, and those of the nodes. Raises ValueError."""
    try:
        rate, now, now_ns, losses, threads, nodes, *rest = HEAD.unpack_from(data)
    except struct.error as error:
        raise ValueError(f"counts that make no sense: {error}") from None
    head = HEAD.pack(rate, now, now_ns, losses, threads, 0, *rest)
    begin = HEAD.size + losses * LOSS.size + threads * THREAD.size
    end = begin + nodes * NODE.size
    if end > len(data):
        raise ValueError("counts that make no sense: they are cut off")
    return head + data[HEAD.size : begin] + data[end:], memoryview(data)[begin:end]


def _unpack(data: bytes, functions: dict[int, FunctionRow], version: int) -> Counts:
    codec = HEAD if version >= _HAS_MEMORY else _OLDER_HEAD
    rate, now, now_ns, *sizes = codec.unpack_from(data)
    if codec is _OLDER_HEAD:
        sizes += [0] * 6
    *sizes, n_living, n_points, n_growth, n_step_memory = sizes
    *sizes, text_size, flags, n_lines, n_memory, n_resident = sizes
    sizes[_LINES:_LINES] = n_lines, n_memory, n_resident, n_living, n_points, n_growth
    sizes.insert(_STEP_MEMORY, n_step_memory)
    (
        losses,
        threads,
        nodes,
        totals,
        durations,
        charges,
        lines,
        memory,
        resident,
        living,
        points,
        growth,
        named,
        steps,
        step_memory,
        names,
    ) = _sections(data, codec.size, sizes, CHARGE if version >= _HAS_LINES else _OLDER_CHARGE)
    text = _Texts(data, len(data) - text_size)
    for number, line, *parts in named:
        if number not in functions:
            module, qualname, name, file = map(text, parts)
            functions[number] = FunctionRow(number, module, qualname, name, file, line)
    step_names = [text(at) for (at,) in names]
    return Counts(
        ns_per_tick=rate,
        threads=[
            CountedThread(serial, ident, tid, text(name), elapsed)
            for serial, tid, ident, elapsed, name, _ in threads
        ],
        nodes=list(map(CountedNode._make, nodes)),
        histograms=[CountedDuration(*row[:5]) for row in durations],
        losses={text(name): count for name, _, count in losses},
        steps=[
            CountedStep(ident, step_names[name], start, *_elapsed_and_value(kind, value, text))
            for start, value, ident, name, kind in steps
        ],
        now=now,
        now_ns=now_ns,
        totals=list(map(CountedTotal._make, totals)),
        charges=[
            CountedCharge._make(
                (*row[:3], KINDS[row[3]], row[5], _line(row[8], 0) if row[8:] else 0, *row[6:8])
            )
            for row in charges
        ],
        lines=[
            CountedLine._make((serial, function, _line(line, 1), *figures))
            for serial, function, line, _, *figures in lines
        ],
        memory=[CountedMemory._make((*row[:3], _line(row[3], 0), *row[4:])) for row in memory],
        resident=list(map(ResidentRow._make, resident)),
        living=[CountedLiving._make((*row[:3], _line(row[3], 0), *row[4:])) for row in living],
        points=[CountedPoint(step_names[row[2]], row[0], row[1], row[3]) for row in points],
        growth=[
            CountedGrowth._make((*row[:3], _line(row[3], 0), _below(row[4], len(points)), row[6]))
            for row in growth
        ],
        step_memory={
            row[0]: StepMemory._make((*row[1:5], None if row[5] == NO_PEAK else row[5]))
            for row in step_memory
        },
        sampled=bool(flags & SAMPLED),
        times_sampled=bool(flags & TIMES_SAMPLED),
        memory_kinds=_KINDS.get(flags & 28),
    )


def _line(number: int, least: int) -> int:
    if number < least:
        raise ValueError(f"line {number}")
    return number


def _below(number: int, n: int) -> int:
    if number >= n:
        raise ValueError(f"point {number} of {n}")
    return number


def _sections(data: bytes, at: int, sizes: list[int], charge: Struct) -> Iterator[list[Any]]:
    """The rows of each section, as tuples; the first one begins at `at`."""
    for n, known in zip(sizes, _CODECS, strict=True):
        codec = charge if known is CHARGE else known
        end = at + n * codec.size
        if end > len(data):
            raise ValueError("they are cut off")
        yield list(codec.iter_unpack(data[at:end]))
        at = end


class _Texts:
    """Gives the text at a place."""

    def __init__(self, data: bytes, begin: int) -> None:
        self._data = data
        self._begin = begin

    def __call__(self, place: int) -> str:
        at = self._begin + place
        return self._data[at : self._data.index(b"\0", at)].decode(errors="backslashreplace")


def _elapsed_and_value(kind: int, value: int, text: _Texts) -> tuple[int | None, Value]:
    if kind == RUN:
        return value, None
    if kind == TEXT:
        return None, text(value)
    codec = {INTEGER: _SIGNED, REAL: DOUBLE}.get(kind)
    return None, None if codec is None else codec.unpack(WORD.pack(value))[0]
