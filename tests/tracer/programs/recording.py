# SPDX-License-Identifier: Apache-2.0
"""A program that records itself when standard input says so, and says what it has recorded."""

from __future__ import annotations

import sys
import time

import pyusdt

recordings: dict[str, pyusdt.record] = {}


def leaf() -> None:
    pass


def work(n: int) -> None:
    for _ in range(n):
        leaf()


def other() -> None:
    pass


def others(n: int) -> None:
    for _ in range(n):
        other()


def held(seconds: str) -> None:
    """Runs until the next line has come, and is as long as that takes."""
    begin = time.perf_counter_ns()
    answer()
    time.sleep(float(seconds))
    print("held", time.perf_counter_ns() - begin, flush=True)


def show(rec: pyusdt.record) -> None:
    counts = {f.record.name: f.calls for f in rec.functions if f.record.module == "__main__"}
    print("counts", *(counts.get(name, 0) for name in ("work", "leaf", "other")), flush=True)
    print("losses", rec.losses, flush=True)


def answer() -> bool:
    words = sys.stdin.readline().split()
    if not words:
        return False
    command, *arguments = words
    if command == "work":
        work(int(arguments[0]))
    elif command == "others":
        others(int(arguments[0]))
    elif command == "held":
        begin = time.perf_counter_ns()
        held(arguments[0])
        print("around", time.perf_counter_ns() - begin, flush=True)
    elif command == "start":
        only = arguments[1] if arguments[1:] else None
        recordings[arguments[0]] = pyusdt.record(only=only).__enter__()
    elif command == "stop":
        recordings[arguments[0]].__exit__(None, None, None)
        show(recordings[arguments[0]])
    print("done", command, flush=True)
    return True


print("ready", flush=True)
while answer():
    pass
