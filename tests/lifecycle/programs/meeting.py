# SPDX-License-Identifier: Apache-2.0
"""What the workers of servers and pools do: come to a meeting, and stay until all have come.

A worker that attends works, says so with what can be seen in it, and waits until somebody opens the
pipe MEETING for writing: so as many workers as are asked attend, and none of them twice.
"""

from __future__ import annotations

import os
import sys

from threadnames import watchers

import pyusdt

CALLS = 100


def work() -> int:
    return os.getpid()


def holds_an_id() -> bool:
    return any(sys.monitoring.get_tool(i) == "pyusdt" for i in range(6))


def attend(traced: bool) -> None:
    """Once the events are on, or off, as is said."""
    while holds_an_id() != traced:
        os.sched_yield()
    for _ in range(CALLS):
        work()
    say(f"attends {os.getpid()} with {watchers()}")
    with open(os.environ["MEETING"]):
        pass
    say(f"leaves {os.getpid()}")


def say(line: str) -> None:
    """In one piece, whoever else speaks, and wherever a server sends its workers' print()s."""
    os.write(1, f"{line}\n".encode())
