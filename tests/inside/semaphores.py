# SPDX-License-Identifier: Apache-2.0
"""In a child: the semaphores of pyusdt's library, raised as a tracer raises them; no root needed.

up(), then import pyusdt: what is watched by then is on when the import returns. After it, the
watcher sees the change: wait_for() it. harness.inside() makes the environment for this.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

from threadnames import thread_names, watchers

__all__ = ["ALL", "calm", "down", "events", "thread_names", "tool", "up", "wait_for", "watchers"]

MONITORING = sys.monitoring
# From 3.13 on, LINE alone is lost in functions of one line (cpython #155992).
LINE_NEEDS = {"PY_START"} if sys.version_info >= (3, 13) else set()
_told = json.loads(os.environ["PYUSDT_TEST_SEMAPHORES"])
_library = ctypes.CDLL(_told["library"])


def _base() -> int:
    """Where the library begins in memory."""
    with open("/proc/self/maps", encoding="ascii") as maps:
        return next(int(m.partition("-")[0], 16) for m in maps if _told["library"] in m)


_semaphores = {
    name: ctypes.c_ushort.from_address(_base() + address)
    for name, address in _told["semaphores"].items()
}
ALL = tuple(_semaphores)


def up(*probes: str) -> None:
    for probe in probes:
        _semaphores[probe].value = 1


def down(*probes: str) -> None:
    for probe in probes:
        _semaphores[probe].value = 0


def tool() -> int | None:
    """The tool id that pyusdt holds."""
    return next((i for i in range(6) if MONITORING.get_tool(i) == "pyusdt"), None)


def events() -> set[str]:
    """The events that are on for pyusdt."""
    held = tool()
    on = 0 if held is None else MONITORING.get_events(held)
    numbers = vars(MONITORING.events)
    return {name for name, bit in numbers.items() if isinstance(bit, int) and bit & on}


def wait_for(*expected: str) -> None:
    """Wait until exactly these events are on; the test that started us has a deadline."""
    wanted = set(expected) | (LINE_NEEDS if "LINE" in expected else set())
    while events() != wanted or (not expected and tool() is not None):
        os.sched_yield()


def calm() -> None:
    """Have nothing watched any more, and wait until the watcher has seen that.

    It may be about to switch on what was watched at its last look. Once it has seen one probe
    alone, it no longer is.
    """
    down(*ALL)
    up("RAISE")
    wait_for("RAISE")
    down("RAISE")
    wait_for()
