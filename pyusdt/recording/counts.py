# SPDX-License-Identifier: Apache-2.0
"""What the core has counted, as it hands it over: the layout of include/pyusdt_counts.h."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, NamedTuple

from pyusdt.recording.snapshot import FunctionRow, Value

HEAD = Struct("=d2Q8I")
LOSS = Struct("=IIQ")
THREAD = Struct("=IIQQII")
NODE = Struct("=IIiIQQQQQ")
BUCKET = Struct("=IIII")
FUNCTION = Struct("=Ii4I")
STEP = Struct("=QQQII")
NAME = Struct("=I")
_CODECS = (LOSS, THREAD, NODE, BUCKET, FUNCTION, STEP, NAME)
_STEP, _MARK, _INTEGER, _REAL, _TEXT = range(5)
_SIGNED, _DOUBLE, _WORD = Struct("=q"), Struct("=d"), Struct("=Q")


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


class CountedBucket(NamedTuple):
    """How many calls of a function took about that long."""

    serial: int
    function: int
    bucket: int
    calls: int


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
    histograms: list[CountedBucket]
    losses: dict[str, int]
    steps: list[CountedStep] = field(default_factory=list)
    now: int = 0
    """The moment, in ticks."""
    now_ns: int = 0
    """The same on CLOCK_MONOTONIC."""


NOTHING = Counts(1.0, [], [], [], {})


def unpack(data: bytes, functions: dict[int, FunctionRow]) -> Counts:
    """Return what the bytes hold; add the functions that they name to `functions`.

    Raises ValueError for bytes that are none of these.
    """
    try:
        return _unpack(data, functions)
    except (struct.error, IndexError, ValueError) as error:
        raise ValueError(f"counts that make no sense: {error}") from None


def _unpack(data: bytes, functions: dict[int, FunctionRow]) -> Counts:
    rate, now, now_ns, *sizes, text_size = HEAD.unpack_from(data)
    losses, threads, nodes, buckets, named, steps, names = _sections(data, sizes)
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
        histograms=list(map(CountedBucket._make, buckets)),
        losses={text(name): count for name, _, count in losses},
        steps=[
            CountedStep(ident, step_names[name], start, *_elapsed_and_value(kind, value, text))
            for start, value, ident, name, kind in steps
        ],
        now=now,
        now_ns=now_ns,
    )


def _sections(data: bytes, sizes: list[int]) -> Iterator[list[Any]]:
    """The rows of each section, as tuples."""
    at = HEAD.size
    for n, codec in zip(sizes, _CODECS, strict=True):
        end = at + n * codec.size
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
    if kind == _STEP:
        return value, None
    if kind == _TEXT:
        return None, text(value)
    codec = {_INTEGER: _SIGNED, _REAL: _DOUBLE}.get(kind)
    return None, None if codec is None else codec.unpack(_WORD.pack(value))[0]
