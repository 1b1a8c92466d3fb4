# SPDX-License-Identifier: Apache-2.0
"""A program that records lines of counted() when standard input says so, beside any tracer."""

from __future__ import annotations

import sys

import pyusdt

recordings: dict[str, pyusdt.record] = {}


def traced(n: int) -> int:
    total = 0  #: 1
    for i in range(3):  #: 4
        total += i  #: 3
    return total  #: 1


def counted(n: int) -> int:
    while n:  #: 4
        n -= 1  #: 3
    return n  #: 1


def other(n: int) -> int:
    if n:
        n += 1
    return n


def work(times: int) -> None:
    for _ in range(times):
        traced(3)
        counted(3)
        other(3)


def show(rec: pyusdt.record) -> None:
    for row in rec.recording.line_rows:
        print("line", row.record.name, row.line, row.hits, flush=True)


print("ready", flush=True)
for line in sys.stdin:
    command, argument = line.split()
    if command == "work":
        work(int(argument))
    elif command == "start":
        recordings[argument] = pyusdt.record(lines="__main__:counted").__enter__()
    elif command == "stop":
        recordings[argument].__exit__(None, None, None)
        show(recordings[argument])
    print("done", command, flush=True)
