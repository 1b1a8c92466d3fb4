# SPDX-License-Identifier: Apache-2.0
"""Processes that were killed before they could write their end, and what is lost of them.

When a process was killed nobody knows: what is known is when it wrote the last time, and how often
it did.
"""

from typing import NamedTuple

from pyusdt.recording import Recording
from pyusdt.recording.records import KILLED, Process
from pyusdt.report.text import plural

_MOST = 6
_TICK_NS = 100_000_000
"""The core looks so often for what is due."""


class Killed(NamedTuple):
    """`last_ns` is how long it had run when it wrote the last time, None: it never did; `lost_ns`
    is about how much of it is lost at most, None: not known."""

    pid: int
    last_ns: int | None
    lost_ns: int | None


def processes(recording: Recording) -> list[Killed]:
    """All of them."""
    recorded = {thread.process for thread in recording.threads}
    return [
        _killed(process, process.id in recorded)
        for process in recording.processes
        if process.ended_ns is None and process.reason == KILLED
    ]


def _killed(it: Process, recorded: bool) -> Killed:
    last = max(it.updated_ns - it.started_ns, 0) if recorded else None
    return Killed(it.pid, last, it.flush_ns + _TICK_NS if it.flush_ns else None)


def lines(recording: Recording) -> list[str]:
    """What a report says of them."""
    killed = processes(recording)
    said = [f"note: process {it.pid} was killed{_lost(it)}" for it in killed[:_MOST]]
    if more := len(killed) - len(said):
        were = plural(more, "more process was", "more processes were")
        said.append(f"note: {were} killed: pyusdt report -f json lists all")
    return said


def _lost(it: Killed) -> str:
    if it.last_ns is None:
        when = "; " if it.lost_ns is None else " before its first flush; "
        advice = ": record with --flush" if it.lost_ns is None else ""
        return f"{when}nothing of it is recorded{advice}"
    last = f"{it.last_ns / 1e9:.2f} s after its start"
    if it.lost_ns is None:
        return f"; what it did later than {last} is not recorded: record with --flush"
    return (
        f"; about {it.lost_ns / 1e9:.1f} s at its end, or less, are not recorded"
        f" (last flush {last})"
    )
