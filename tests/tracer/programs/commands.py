# SPDX-License-Identifier: Apache-2.0
"""A program that does what its standard input says, a line at a time, and says when it is done."""

from __future__ import annotations

import os
import sys

import pyusdt


def work(n: int) -> int:
    return n + 1


def repeat(n: int) -> None:
    for i in range(n):
        work(i)


def events() -> str:
    """The tool id that pyusdt holds, and the names of the events that are on."""
    monitoring = sys.monitoring
    for tool in range(6):
        if monitoring.get_tool(tool) == "pyusdt":
            on = monitoring.get_events(tool)
            names = [n for n in vars(monitoring.events) if n != "NO_EVENTS"]
            return f"{tool} " + " ".join(n for n in names if getattr(monitoring.events, n) & on)
    return "none"


def fork(n: int) -> None:
    child = os.fork()
    if child == 0:
        repeat(n)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "work":
            repeat(int(arguments[0]))
        elif command == "fork":
            fork(int(arguments[0]))
        elif command == "events":
            print(f"events {events()}", flush=True)
        print(f"done {command}", flush=True)


main()
