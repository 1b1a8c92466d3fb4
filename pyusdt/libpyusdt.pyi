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
