# SPDX-License-Identifier: Apache-2.0
"""Runs pytest and counts calls: counted.py KIND OUTPUT PYTEST-ARGUMENT...

KIND is `recorder`, `cprofile`, or `elsewhere`: cProfile in a process whose objects lie at other
places, where sets of classes are in another order. Both counters are imported, and pyusdt's is used
once, first: the tests find the same modules and directories whichever of them counts. The collector
is off, for it comes after so many objects, and counters make some too: what it finds, tests would
count (weak sets that are walked).
"""

from __future__ import annotations

import cProfile
import gc
import json
import os
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import pyusdt
from pyusdt.recording import writer


def of_cprofile(output: str, arguments: list[str]) -> None:
    profile = cProfile.Profile()
    profile.enable(builtins=False)
    pytest.main(arguments)
    profile.disable()
    # Not by pstats: of functions with one label it keeps one.
    calls: Counter[tuple[str, int, str]] = Counter()
    for entry in profile.getstats():
        if not isinstance(entry.code, str):
            code = entry.code
            calls[code.co_filename, code.co_firstlineno, code.co_name] += entry.callcount
    Path(output).write_text(json.dumps([[*key, count] for key, count in calls.items()]))


def of_recorder(output: str, arguments: list[str]) -> None:
    with pyusdt.record() as rec:  # without a path, which variables would offer to children
        pytest.main(arguments)
    assert rec.recording
    writer.write(output, rec._snapshot)


def seed_always() -> None:
    """Generators of their own begin with the same seed, too: sympy's tests ask one for cases."""
    seed = random.Random.seed

    def seeded(self: random.Random, a: Any = None, version: int = 2) -> None:
        seed(self, 0 if a is None else a, version)

    random.Random.seed = seeded  # type: ignore[method-assign]
    random.seed(0)


if __name__ == "__main__":
    kind, output, *arguments = sys.argv[1:]
    sys.path[0] = os.getcwd()
    seed_always()
    with pyusdt.record() as first:
        pass
    assert first.recording
    gc.collect()
    gc.disable()
    kept = [bytearray(n) for n in range(1000)] if kind == "elsewhere" else []
    {"recorder": of_recorder}.get(kind, of_cprofile)(output, arguments)
