# SPDX-License-Identifier: Apache-2.0
"""Reading charges, and the kernel's account, from a recording whose tables have been checked."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from json import loads
from typing import Any

from pyusdt.recording.build import DamageError
from pyusdt.recording.charges import Charges
from pyusdt.recording.kernel import KernelFigures
from pyusdt.recording.parts import paths_of
from pyusdt.recording.records import Process
from pyusdt.recording.tree import TOP

_Key = tuple[int, int, int]


def process(row: tuple[Any, ...]) -> Process:
    """A process from its columns; paths are JSON."""
    found = Process(*row[:13])
    if len(row) < 14:
        return found
    sampled, times, account, paths = row[13:17]
    memory = row[17] if len(row) > 17 else None
    try:
        listed = loads(paths)
    except (ValueError, RecursionError):
        raise DamageError("the paths of a process are no JSON") from None
    return replace(
        found,
        sampled=bool(sampled),
        times=times,
        kernel=account,
        paths=paths_of(listed),
        memory=memory,
    )


def charges(database: sqlite3.Connection, place: Mapping[int, int]) -> dict[_Key, Charges]:
    """What `Recording.charges` holds; `place` maps a function id to its index."""
    rows: dict[_Key, list[tuple[str, int, int, int]]] = defaultdict(list)
    for process_id, thread, function, *row in database.execute(
        "SELECT process, thread, function, kind, syscall, sum(samples), sum(ns) FROM charges"
        " WHERE process IN (SELECT id FROM processes WHERE sampled)"
        " GROUP BY process, thread, function, kind, syscall"
    ):
        if function != TOP and function not in place:
            raise DamageError(f"charges name function {function}, which is not there")
        rows[process_id, thread, place.get(function, TOP)].append((row[0], *row[1:]))
    return {key: Charges(some) for key, some in rows.items()}


def by_node(database: sqlite3.Connection, process_id: int, thread: int) -> dict[int, Charges]:
    """What was charged to the nodes of a thread; -1: to the thread itself."""
    rows = database.execute(
        "SELECT node, kind, syscall, samples, ns FROM charges"
        " WHERE process = ? AND thread = ? AND (node >= 0 OR function = -1) ORDER BY node",
        (process_id, thread),
    )
    return {
        node: Charges(row[1:] for row in some) for node, some in groupby(rows, lambda row: row[0])
    }


def kernel(
    database: sqlite3.Connection, place: Mapping[int, int]
) -> dict[tuple[int, int, int, str, str], KernelFigures]:
    """What `Recording.kernel` holds."""
    found = {}
    for process_id, thread, function, kind, name, *figures in database.execute(
        "SELECT process, thread, function, kind, name, sum(count), sum(ns), sum(bytes), sum(errors)"
        " FROM kernel GROUP BY process, thread, function, kind, name"
    ):
        if function != TOP and function not in place:
            raise DamageError(f"the kernel's account names function {function}, which is not there")
        key = process_id, thread, place.get(function, TOP), kind, name
        found[key] = KernelFigures(*figures)
    return found
