# SPDX-License-Identifier: Apache-2.0
"""Allocates what is known beforehand: known.py OUTPUT [numpy]

The output is JSON: by the mark of a line, the bytes and blocks that are alive there at the end, as
counted by hand. Sizes of objects are sys.getsizeof's. What objects that hold a block have for
themselves is not counted: it is less than HEADS.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import sys
import threading
from typing import Any

kept: list[Any] = []
cache: dict[int, bytes] = {}
EMPTY = sys.getsizeof(b"")
MB = 1_000_000
HEADS = 500


def texts() -> None:
    found: list[Any] = [None] * 1000
    kept.append(found)
    for i in range(1000):
        found[i] = bytes(10_000)  # texts


def grows() -> list[None]:
    found: list[None] = []
    kept.append(found)
    for _ in range(1_000_000):
        found.append(None)  # grows
    return found


Buffer = ctypes.c_char * (5 * MB)


def buffers() -> None:
    kept.append(Buffer())  # buffer


def mapping() -> None:
    kept.append(mmap.mmap(-1, 16 * mmap.PAGESIZE))  # mapping


def leak(key: int) -> None:
    cache[key] = bytes(1000 - EMPTY)  # leak


def temporary() -> None:
    block = bytearray(100 * MB)  # temporary
    del block


def exchange() -> None:
    """Two threads fill a list each, and clear that of the other."""
    lists: list[list[Any]] = [[None] * 500, [None] * 500]
    filled = threading.Barrier(2)

    def work(mine: list[Any], other: list[Any]) -> None:
        for i in range(500):
            mine[i] = bytes(20_000)  # exchanged
        filled.wait()
        for i in range(500):
            other[i] = None

    threads = [threading.Thread(target=work, args=(lists[i], lists[1 - i])) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def arrays() -> None:
    import numpy

    kept.append(numpy.zeros(10 * MB))  # zeros
    kept.append(numpy.empty(10 * MB))  # empty
    kept[-1][:] = 1
    again = numpy.arange(10 * MB) * 2.0  # product
    del again


def main(output: str, *also: str) -> None:
    texts()
    list_size = sys.getsizeof(grows()) - sys.getsizeof([])
    buffers()
    mapping()
    for key in range(1000):
        leak(key)
    exchange()
    if also:
        arrays()
    temporary()
    table = sys.getsizeof(cache) - sys.getsizeof({})
    known = {
        "texts": (1000 * (10_000 + EMPTY), 1000),
        "grows": (list_size, 1),
        "buffer": (5 * MB, 1),
        "mapping": (16 * mmap.PAGESIZE, 1),
        "leak": (1000 * 1000 + table, 1001),
        "exchanged": (0, 0),
        "temporary": (0, 0),
    }
    if also:
        known |= {"zeros": (80 * MB, 1), "empty": (80 * MB, 1), "product": (0, 0)}
    with open(output, "w") as file:
        json.dump(known, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
