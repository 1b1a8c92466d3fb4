# SPDX-License-Identifier: Apache-2.0
"""What the core has counted, as it hands it over: the layout of include/pyusdt_counts.h."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from pyusdt.recording.snapshot import FunctionRow

# (serial, ident or 0, tid, name, elapsed)
CountedThread = tuple[int, int, int, str, int]
# (serial, node, parent or -1, function id, calls, resumes, errors, elapsed, self)
CountedNode = tuple[int, int, int, int, int, int, int, int, int]
# (serial, function id, bucket, count)
CountedBucket = tuple[int, int, int, int]
# (ident of the thread, name, start, elapsed or None for a mark, the mark's value)
CountedStep = tuple[int, str, int, int | None, int | float | str | None]

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
            (serial, ident, tid, text(name), elapsed)
            for serial, tid, ident, elapsed, name, _ in threads
        ],
        nodes=nodes,
        histograms=buckets,
        losses={text(name): count for name, _, count in losses},
        steps=[
            (ident, step_names[name], start, *_elapsed_and_value(kind, value, text))
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


def _elapsed_and_value(
    kind: int, value: int, text: _Texts
) -> tuple[int | None, int | float | str | None]:
    if kind == _STEP:
        return value, None
    if kind == _TEXT:
        return None, text(value)
    codec = {_INTEGER: _SIGNED, _REAL: _DOUBLE}.get(kind)
    return None, None if codec is None else codec.unpack(_WORD.pack(value))[0]
