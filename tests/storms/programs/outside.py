# SPDX-License-Identifier: Apache-2.0
"""A load to be traced, which goes on until its standard input has a line; then it does that many
calls of work(), while only they run, and ends."""

from __future__ import annotations

import sys
from threading import enumerate as threads

import load
import semaphores

import pyusdt


def work() -> None:
    pass


with load.running() as failures:
    print("ready", flush=True)
    sys.stdin.readline()
assert not failures, failures
pyusdt.configure(only="", exclude="", values="safe", slow="10ms")
semaphores.wait_for()
assert semaphores.tool() is None
assert semaphores.watchers() == 1
assert len(threads()) == 1
print("calm", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        work()
    print("done", flush=True)
