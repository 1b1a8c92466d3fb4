# SPDX-License-Identifier: Apache-2.0
"""In a child: its threads by name, as the kernel has them."""

from __future__ import annotations

import os

TASKS = "/proc/self/task"


def thread_names() -> list[str]:
    """The name of each thread.

    The kernel cuts a listing short where a thread ends meanwhile (next_tid() in fs/proc/base.c), so
    this lists until it is the same twice.
    """
    names = None
    while names != (names := _listed()):
        pass
    return list(names.values())


def watchers() -> int:
    """How many threads of this process are named pyusdt."""
    return thread_names().count("pyusdt")


def _listed() -> dict[str, str]:
    names = {}
    for task in os.listdir(TASKS):
        try:
            with open(f"{TASKS}/{task}/comm") as comm:
                names[task] = comm.read().rstrip("\n")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
    return names
