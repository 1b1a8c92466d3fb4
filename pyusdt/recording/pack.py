# SPDX-License-Identifier: Apache-2.0
"""A snapshot in the layout of include/pyusdt_counts.h, from which counts.py unpacks it: what a
recording had before, when it is entered once more."""

from pyusdt.recording.charges import KINDS, ChargeRow
from pyusdt.recording.counts import (
    CHARGE,
    DOUBLE,
    DURATION,
    FUNCTION,
    HEAD,
    INTEGER,
    LINE,
    LOSS,
    MARK,
    MEMORY,
    MEMORY_FLAGS,
    NAME,
    NO_NODE,
    NO_PEAK,
    NODE,
    REAL,
    RESIDENT,
    RUN,
    SAMPLED,
    STEP,
    STEP_MEMORY,
    TEXT,
    THREAD,
    THREAD_ITSELF,
    TOTAL,
    WORD,
)
from pyusdt.recording.memory import MemoryRow
from pyusdt.recording.snapshot import Snapshot, StepRow, clean_step


class _Texts:
    """Gives a place to each text."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._places: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        if text not in self._places:
            self._places[text] = len(self.data)
            encoded = text.encode(errors="backslashreplace").replace(b"\0", b"\\x00")
            self.data += encoded + b"\0"
        return self._places[text]


def pack(snapshot: Snapshot, serials: list[int]) -> bytes:
    """Its bytes, with times in ns, where they are from a sampler too. `serials` are those of its
    threads."""
    text = _Texts()
    losses = [LOSS.pack(text(name), 0, count) for name, count in snapshot.losses.items()]
    threads = [
        THREAD.pack(serial, row.tid, 0, row.elapsed_ns, text(row.name), 0)
        for serial, row in zip(serials, snapshot.threads, strict=True)
    ]
    nodes = [
        NODE.pack(serials[row.thread], row.node, row.parent, row.function, *row.figures)
        for row in snapshot.nodes
    ]
    totals = [
        TOTAL.pack(serials[row.thread], row.function, *row.figures) for row in snapshot.totals
    ]
    durations = [DURATION.pack(serials[0], *row, 0) for row in snapshot.histograms]
    charges = [_charge(row, serials[row.thread]) for row in snapshot.charges]
    lines = [
        LINE.pack(serials[row.thread], row.function, row.line, 0, *row.figures)
        for row in snapshot.lines
    ]
    memory = [_memory(row, serials) for row in snapshot.memory]
    resident = [RESIDENT.pack(*row) for row in snapshot.resident]
    functions = [
        FUNCTION.pack(row.id, row.line, *map(text, (row.module, row.qualname, row.name, row.file)))
        for row in snapshot.functions
    ]
    names = {row.name: text(row.name) for row in snapshot.steps}
    numbers = {name: number for number, name in enumerate(names)}
    steps = [_step(clean_step(row), numbers[row.name], text) for row in snapshot.steps]
    step_memory = [
        STEP_MEMORY.pack(number, *row.memory[:4], _peak(row.memory.peak_bytes))
        for number, row in enumerate(snapshot.steps)
        if row.memory
    ]
    places = [NAME.pack(place) for place in names.values()]
    sections = [
        losses, threads, nodes, totals, durations, charges, lines, memory, resident, functions,
        steps, step_memory, places,
    ]  # fmt: skip
    late = lines, memory, resident, step_memory
    sizes = [len(section) for section in sections if not any(section is it for it in late)]
    n_late = *map(len, late[:3]), 0, 0, 0, len(step_memory)  # what lives is not taken along
    flags = (SAMPLED if snapshot.sampled else 0) | MEMORY_FLAGS.get(snapshot.memory_kinds or "", 0)
    head = HEAD.pack(1.0, 0, 0, *sizes, len(text.data), flags, *n_late)
    return b"".join([head, *(row for section in sections for row in section), bytes(text.data)])


def _charge(row: ChargeRow, serial: int) -> bytes:
    node = NO_NODE if row.node < 0 else row.node
    function = THREAD_ITSELF if row.function < 0 else row.function
    kind = KINDS.index(row.kind)
    figures = row.samples, row.ns, row.line
    return CHARGE.pack(serial, node, function, kind, 0, row.syscall, *figures, 0)


def _memory(row: MemoryRow, serials: list[int]) -> bytes:
    serial = 0 if row.thread < 0 else serials[row.thread]
    node = NO_NODE if row.node < 0 else row.node
    function = THREAD_ITSELF if row.function < 0 else row.function
    return MEMORY.pack(serial, node, function, row.line, *row.figures)


def _peak(bytes_: int | None) -> int:
    return NO_PEAK if bytes_ is None else bytes_


def _step(row: StepRow, name: int, text: _Texts) -> bytes:
    kind, value = MARK, 0
    if row.elapsed_ns is not None:
        kind, value = RUN, row.elapsed_ns
    elif isinstance(row.value, str):
        kind, value = TEXT, text(row.value)
    elif isinstance(row.value, float):
        kind, value = REAL, WORD.unpack(DOUBLE.pack(row.value))[0]
    elif row.value is not None:
        kind, value = INTEGER, row.value & (1 << 64) - 1
    return STEP.pack(row.start_ns, value, 0, name, kind)
