# SPDX-License-Identifier: Apache-2.0
"""Makes many calling contexts, and is killed if it is to be: many_contexts.py LEVELS [SIGNAL]

Each function of a level calls the four of the next, so that there are 4 ** LEVELS of the last.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def made(name: str, below: list[Callable[[], None]]) -> Callable[[], None]:
    space: dict[str, Callable[[], None]] = {f"below{i}": call for i, call in enumerate(below)}
    body = "; ".join(f"{call}()" for call in space) or "pass"
    exec(compile(f"def {name}():\n    {body}", "made.py", "exec"), space)
    return space[name]


def first_of(levels: int) -> Callable[[], None]:
    below: list[Callable[[], None]] = []
    for level in range(levels, 0, -1):
        below = [made(f"f{level}_{i}", below) for i in range(4)]
    return made("first", below)


first_of(int(sys.argv[1]))()
if len(sys.argv) > 2:
    os.kill(os.getpid(), int(sys.argv[2]))
