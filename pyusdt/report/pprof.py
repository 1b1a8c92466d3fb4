# SPDX-License-Identifier: Apache-2.0
"""pprof: a gzipped protocol buffer, profile.proto of https://github.com/google/pprof/tree/main/proto.

A sample is a calling context with its calls and its own time, its thread a label. Where a sampler
ran, it has its wall and CPU time and its waits, all of them and by their classes. Where memory was
recorded, it has what Go's heap profiles have, and what was at the peak. The few kinds of
fields that the format needs are encoded here, by https://protobuf.dev/programming-guides/encoding.
"""

import gzip
from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO

from pyusdt.recording import CodeRecord, Node, Recording
from pyusdt.recording.charges import total
from pyusdt.recording.memory import NOTHING, MemoryFigures
from pyusdt.recording.tree import paths
from pyusdt.report import depth, weights
from pyusdt.report.amounts import ELSEWHERE
from pyusdt.report.names import whole
from pyusdt.report.options import Options

_MEMORY = {
    "alloc_objects": "allocated:blocks",
    "alloc_space": "allocated",
    "inuse_objects": "live:blocks",
    "inuse_space": "live",
    "peak_objects": "peak:blocks",
    "peak_space": "peak",
}
"""The weights of weights.py, by the names of sample types."""
_ELSEWHERE = [CodeRecord("", name, name, "", 0) for name in ELSEWHERE.values()]
_FRAME_BYTES = 3  # of a stack: the number of a function, of 2 million at most


def write(recording: Recording, out: BinaryIO, _options: Options) -> None:
    """Write all threads of all processes into one profile."""
    recording = depth.cut_to_size(recording, lambda _: _FRAME_BYTES)
    strings: dict[str, int] = {"": 0}

    def index(text: str) -> int:
        return strings.setdefault(whole(text), len(strings))

    profile = bytearray()
    times, memory = _times(recording), _MEMORY if "memory" in recording.known else {}
    kinds = [("calls", "count"), *((name, "nanoseconds") for name in times)]
    kinds += [(name, "count" if name.endswith("objects") else "bytes") for name in memory]
    for kind, unit in kinds:
        profile += _message(1, _number(1, index(kind)) + _number(2, index(unit)))
    figures = [*times.values(), *map(weights.of, memory.values())]
    profile += _samples(recording, index, figures)
    if memory:
        profile += _elsewhere(recording, [0] * (1 + len(times)))
    for place, record in enumerate([*recording.records, *(_ELSEWHERE if memory else ())], 1):
        line = _number(1, place) + _number(2, record.line)
        profile += _message(4, _number(1, place) + _message(4, line))
        names = _number(2, index(record.label)) + _number(3, index(record.qualname))
        where = _number(4, index(record.file)) + _number(5, record.line)
        profile += _message(5, _number(1, place) + names + where)
    started = min((process.started_ns for process in recording.processes), default=0)
    elapsed = max((thread.elapsed_ns for thread in recording.threads), default=0)
    shown_first = index("cpu" if "cpu" in times else "time")
    profile += _number(9, started) + _number(10, elapsed) + _number(14, shown_first)
    for text in strings:
        profile += _message(6, text.encode())
    out.write(gzip.compress(profile, mtime=0))


def _times(recording: Recording) -> dict[str, Callable[[Node], int]]:
    """The kinds of time that samples have, by their names, and what they are of a node."""
    wall = weights.of("wall")
    if "cpu" not in recording.known:
        return {"time": wall}
    waits = total(thread.charges for thread in recording.threads).waits
    names = ("cpu", "wait", *(f"wait:{wait}" for wait in waits))
    return {"wall": wall} | {name: weights.of(name) for name in names}


def _elsewhere(recording: Recording, others: Sequence[int]) -> bytearray:
    """The memory of threads outside of all functions, and of those that no Python runs in."""
    samples = bytearray()
    for number, memory in enumerate(_outside_and_native(recording), len(recording.records) + 1):
        fields = (weights.MEMORY[name] for name in _MEMORY.values())
        values = _packed(2, (*others, *(getattr(memory, field) for field in fields)))
        samples += _message(2, _packed(1, [number]) + values)
    return samples


def _outside_and_native(recording: Recording) -> Iterable[MemoryFigures]:
    for index in ELSEWHERE:
        yield recording.memory_by_function.get(index, NOTHING)


def _samples(
    recording: Recording, index: Callable[[str], int], times: Sequence[Callable[[Node], int]]
) -> bytearray:
    samples = bytearray()
    for thread in recording.threads:
        label = index(recording.thread_label(thread))
        labels = _message(3, _number(1, index("thread")) + _number(2, label))
        stack: list[int] = []
        for node, entering in paths(thread.root):
            if not entering:
                stack.pop()
                continue
            stack.append(node.function + 1)
            values = _packed(2, (node.calls, *(time(node) for time in times)))
            samples += _message(2, _packed(1, stack[::-1]) + values + labels)
    return samples


def _varint(value: int) -> bytes:
    value &= 2**64 - 1  # as protobuf has it: a negative one has all its bits
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _packed(field: int, values: Iterable[int]) -> bytes:
    return _message(field, b"".join(_varint(value) for value in values))
