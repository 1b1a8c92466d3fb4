# SPDX-License-Identifier: Apache-2.0
"""The compiled core: probes, demand, the watcher and the events."""

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
