# SPDX-License-Identifier: Apache-2.0
"""Functions that take memory which is not Python's. `library` is that of takes.c."""

from __future__ import annotations

import ctypes
import mmap
import sqlite3
from typing import Any

library: Any = None
kept: list[Any] = []
MB = 1_000_000


def load(path: str) -> Any:
    found = ctypes.CDLL(path)
    for name in ("take", "move", "copy", "map", "take_elsewhere", "hooked"):
        getattr(found, name).restype = ctypes.c_void_p
    found.take.argtypes = found.map.argtypes = found.take_elsewhere.argtypes = [ctypes.c_size_t]
    found.move.argtypes = found.unmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    found.give.argtypes = [ctypes.c_void_p]
    return found


def forget() -> None:
    for it in kept:
        if isinstance(it, sqlite3.Connection):
            it.close()
    kept.clear()


def blocks() -> None:
    for _ in range(5):
        kept.append(library.take(MB))


def moved() -> None:
    kept.append(library.move(library.take(MB), 3 * MB))


def copies() -> None:
    for _ in range(10):
        kept.append(library.copy(b"x" * 9_999))


def given() -> None:
    library.give(library.take(MB))


def mapped() -> None:
    kept.append(library.map(10 * MB))


def unmapped() -> None:
    library.unmap(library.map(10 * MB), 10 * MB)


def of_module() -> None:
    kept.append(mmap.mmap(-1, 10 * MB))


def buffers() -> None:
    kept.append(ctypes.create_string_buffer(MB))


def elsewhere() -> None:
    kept.append(library.take_elsewhere(MB))


def database() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a)")
    connection.executemany("INSERT INTO t VALUES (?)", ((bytes(1000),) for _ in range(1000)))
    kept.append(connection)


def loaded_meanwhile(path: str) -> None:
    kept.append(load(path).take(MB))
