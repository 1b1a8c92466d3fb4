# SPDX-License-Identifier: Apache-2.0
"""Processes that a tracer of one library does not reach: they have another copy of it."""

import os
import re
from collections.abc import Iterator

from pyusdt.remote import proc

_LIBRARY = re.compile(r"/libpyusdt\.[^/]*so$")
_MOST = 5


def notes(library: str) -> Iterator[str]:
    """A line for each of these processes, up to a number of them."""
    ours = os.stat(library)
    others = [(pid, path) for pid in proc.pids() if (path := _other(pid, ours))]
    for pid, path in others[:_MOST]:
        yield f"process {pid} has another copy of the library, {path}: only -p {pid} traces it"
    if len(others) > _MOST:
        yield f"so do {len(others) - _MOST} more processes"


def _other(pid: int, ours: os.stat_result) -> str | None:
    """The path of the library in a process, if it is another file; None also where we cannot see
    it."""
    try:
        for mapping in proc.mappings(pid, b"/libpyusdt."):
            if _LIBRARY.search(mapping.path.removesuffix(" (deleted)")):
                there = os.stat(f"/proc/{pid}/root{mapping.path}")
                return None if os.path.samestat(there, ours) else mapping.path
    except FileNotFoundError:
        return mapping.path if os.path.exists(f"/proc/{pid}") else None
    except OSError:
        pass
    return None
