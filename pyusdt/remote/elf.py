# SPDX-License-Identifier: Apache-2.0
"""Where a symbol is in a shared library that anybody may have made.

Nothing of the file is believed, and all that is read has a bound: a crafted one costs no more time
and memory than a large one. Read are libraries of this machine's kind, with 64 bits.
"""

import os
import sys
from collections.abc import Iterator
from struct import Struct
from typing import Any

_HEAD = Struct("=16s2HI3QI6H")
_SECTION = Struct("=2I4Q2I2Q")
_SEGMENT = Struct("=2I6Q")
_SYMBOL = Struct("=I2BH2Q")
_KIND = b"\x7fELF\2" + (b"\1" if sys.byteorder == "little" else b"\2")
_DYNAMIC_SYMBOLS, _LOADED = 11, 1  # SHT_DYNSYM, PT_LOAD
_MOST_ROWS = 1000  # of sections, and of segments
_MOST_BYTES = 4 << 20  # of symbols, and of their names


def distance_of(symbol: bytes, file: int) -> int | None:
    """How far `symbol` lies behind the library's beginning in memory; see `place_of`."""
    place = place_of(symbol, file)
    return place and place[0]


def place_of(symbol: bytes, file: int) -> tuple[int, int] | None:
    """The same, and how many bytes it has; None: there is none of the name. `file` is open for
    reading. Raises ValueError for what is no library, OSError."""
    kind, _, _, _, _, segments_at, sections_at, _, _, *sizes = _row(_HEAD, file, 0)
    segment_size, n_segments, section_size, n_sections, _ = sizes
    if kind[: len(_KIND)] != _KIND:
        raise ValueError("another kind of file")
    if (segment_size, section_size) != (_SEGMENT.size, _SECTION.size):
        raise ValueError("headers of another size")
    sections = list(_rows(_SECTION, file, sections_at, n_sections))
    segments = _rows(_SEGMENT, file, segments_at, n_segments)
    shift = next((place - address for what, _, place, address, *_ in segments if what == _LOADED),
                 None)  # fmt: skip
    table = next((row for row in sections if row[1] == _DYNAMIC_SYMBOLS), None)
    if shift is None or table is None or table[6] >= len(sections):
        raise ValueError("no dynamic symbols")
    found = _value_of(symbol, file, table, sections[table[6]])
    return found and (found[0] + shift, found[1])


def _value_of(
    symbol: bytes, file: int, table: tuple[Any, ...], texts: tuple[Any, ...]
) -> tuple[int, int] | None:
    names = _bytes(file, *texts[4:6])
    rows = _bytes(file, *table[4:6])
    for at, _, _, _, value, size in _SYMBOL.iter_unpack(
        rows[: len(rows) // _SYMBOL.size * _SYMBOL.size]
    ):
        if names.startswith(symbol + b"\0", at):
            return int(value), int(size)
    return None


def _row(codec: Struct, file: int, at: int) -> tuple[Any, ...]:
    return next(_rows(codec, file, at, 1))


def _rows(codec: Struct, file: int, at: int, n: int) -> Iterator[tuple[Any, ...]]:
    if n > _MOST_ROWS:
        raise ValueError("too many headers")
    return codec.iter_unpack(_bytes(file, at, n * codec.size))


def _bytes(file: int, at: int, size: int) -> bytes:
    if size > _MOST_BYTES or at >= 2**63:
        raise ValueError("headers out of bounds")
    data = os.pread(file, size, at)
    if len(data) != size:
        raise ValueError("cut off")
    return data
