# SPDX-License-Identifier: Apache-2.0
"""In a child: the library as built against ../usdt.h, its semaphores, and what its probes said.

up(), then import pyusdt: what is watched by then is on when the import returns.
"""

from __future__ import annotations

import ctypes
from importlib.util import find_spec
from pathlib import Path

_spec = find_spec("pyusdt")
assert _spec and _spec.origin
(_path,) = Path(_spec.origin).parent.glob("libpyusdt.*so")
_library = ctypes.CDLL(str(_path))
_buffer = (ctypes.c_char * (16 << 20)).in_dll(_library, "capture_buffer")
_used = ctypes.c_size_t.in_dll(_library, "capture_used")
_lost = ctypes.c_size_t.in_dll(_library, "capture_lost")


def up(*probes: str) -> None:
    for probe in probes:
        ctypes.c_ushort.in_dll(_library, f"sema_{probe}").value = 1


def down(*probes: str) -> None:
    for probe in probes:
        ctypes.c_ushort.in_dll(_library, f"sema_{probe}").value = 0


def hits() -> list[list[str]]:
    """Every hit since the last call: the probe's name and its arguments.

    Strict UTF-8: a text that is not is an error of ours.
    """
    assert _lost.value == 0, "the buffer was too small"
    raw = ctypes.string_at(_buffer, _used.value)
    _used.value = 0
    texts = iter(raw.decode().split("\0")[:-1])
    return [[name, *(next(texts) for _ in range(int(next(texts))))] for name in texts]
