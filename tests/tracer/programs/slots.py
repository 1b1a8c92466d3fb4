# SPDX-License-Identifier: Apache-2.0
"""Threads that make system calls in functions of known names."""

from __future__ import annotations

import os
import sys
import threading

import pyusdt

wake = threading.Event()


def asks(n: int) -> None:
    for _ in range(n):
        os.getppid()


def caller(n: int) -> None:
    asks(n)


def blocked() -> None:
    """Enters before any tracer comes, and makes its system calls here when it is woken."""
    wake.wait()
    for _ in range(7):
        os.getppid()


def brief() -> None:
    os.getppid()


def forked() -> None:
    os.getppid()


def fork() -> None:
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        forked()
        os._exit(0)


def main() -> None:
    sleeper = threading.Thread(target=blocked, name="schläfer")
    sleeper.start()
    print("ready", flush=True)
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "ask":
            caller(int(rest[0]))
        elif command == "thread":
            thread = threading.Thread(target=sys.stdin.readline, name=rest[0])
            thread.start()
            print("started", thread.native_id, flush=True)
            thread.join()
        elif command == "brief":
            for _ in range(int(rest[0])):
                thread = threading.Thread(target=brief)
                thread.start()
                thread.join()
        elif command == "fork":
            for _ in range(int(rest[0])):
                fork()
        elif command == "wake":
            wake.set()
            sleeper.join()
        print(f"done {command}", flush=True)


main()
