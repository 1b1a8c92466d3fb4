# SPDX-License-Identifier: Apache-2.0
"""The compiled core: probes, demand, the watcher and the events."""

from collections.abc import Callable

from pyusdt.recording.snapshot import FunctionRow
from pyusdt.recording.totals import CountedBucket, CountedNode, CountedThread

def start() -> None:
    """Start the watcher and check demand: wanted events are on when this returns. Idempotent."""

def stop() -> None:
    """Switch all events off, give the tool id back and join the watcher. Idempotent."""

def wait(timeout: float | None) -> bool:
    """Wait until a probe is in demand: True, or False after `timeout` seconds (None: no limit).

    Signals are handled while waiting: KeyboardInterrupt passes. Switches no events on.
    """

def snapshot() -> bytes:
    """Return the struct pyusdt_control as others see it, brought up to this moment.

    include/pyusdt_control.h has its layout, and `pyusdt.control.snapshot` reads it.
    """

def check(request: bytes, /) -> None:
    """Raise ValueError where a struct pyusdt_request is not good, for the reason it gives.

    `pyusdt.control.request` makes one.
    """

def change(request: bytes, /) -> None:
    """Do what a struct pyusdt_request asks for, or raise ValueError as `check` does."""

def record(c_calls: bool, max_nodes: int, only: str, exclude: str) -> bool:
    """Keep call trees, with times, of all threads from now on, or go on with these wishes.

    Functions that the filters leave out may be in them all the same, when a tracer wants them too.
    False where no events can be had: other tools hold the ids of sys.monitoring.
    """

def record_stop() -> None:
    """Keep them no more, unless a tracer wants it."""

def recorded(
    functions: dict[int, FunctionRow],
) -> tuple[float, list[CountedThread], list[CountedNode], list[CountedBucket], dict[str, int]]:
    """Return what has been counted until now: see `pyusdt.recording.totals.Counts`.

    Adds the functions that it names to `functions`, where they are missing.
    """

def flush(callback: Callable[[int], object] | None, seconds: float) -> None:
    """Have the watcher call callback(0) every `seconds` (0: never), and callback(signal) before
    SIGTERM or SIGHUP ends the process. What it raises is dropped. None: no more."""

def hide(hidden: bool) -> None:
    """From now on what this thread does is not recorded, or it is again."""
