# SPDX-License-Identifier: Apache-2.0
"""Imported by an observed program that forks: children that check themselves."""

from __future__ import annotations

import os
from collections.abc import Callable

import semaphores


def check_child() -> None:
    """In a child: its own watcher, which follows demand."""
    assert semaphores.watchers() == 1, semaphores.thread_names()
    semaphores.down(*semaphores.ALL)
    semaphores.wait_for()
    semaphores.up("PY_START")
    semaphores.wait_for("PY_START")


def reap(child: int) -> None:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def fork_and_check(check: Callable[[], None] = check_child) -> int:
    """Fork a child that ends with 0 if the check passes; its process id."""
    child = os.fork()
    if not child:
        code = 1
        try:
            check()
            code = 0
        finally:
            os._exit(code)
    return child
