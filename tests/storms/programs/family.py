# SPDX-License-Identifier: Apache-2.0
"""Four children that work until somebody ends them, or as many turns as the second word says; the
first word names the function that they call."""

import itertools
import os
import sys

NAME = sys.argv[1]
TURNS = int(sys.argv[2]) if len(sys.argv) > 2 else None
names: dict[str, object] = {}
exec(compile(f"def {NAME}(n): return n and {NAME}(n - 1)", "family.py", "exec"), names)


def work() -> None:
    for turn in itertools.count():
        if turn == TURNS:
            return
        names[NAME](turn % 40)


for _ in range(4):
    if os.fork() == 0:
        work()
        os._exit(0)
print("ready", flush=True)
work()
for _ in range(4):
    os.wait()
