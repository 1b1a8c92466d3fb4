# SPDX-License-Identifier: Apache-2.0
"""Counts equal cProfile's, function by function, on programs that do the same every time."""

from __future__ import annotations

import cProfile
import pstats
from collections import Counter

import pytest

import pyusdt

from .programs import workloads

Key = tuple[str, int, str]

GIVEN_UP, FOLDED = "calls beyond max_nodes", "calls folded into their recursion"


def of_cprofile(work, builtins: bool) -> Counter[Key]:
    profile = cProfile.Profile()
    profile.enable(builtins=builtins)  # 3.14 forgets what the constructor was told
    work()
    profile.disable()
    counts: Counter[Key] = Counter()
    for key, figures in pstats.Stats(profile).stats.items():
        counts[in_c(key) if key[0] == "~" else key] += figures[1]
    del counts["", 0, "disable"]
    return counts


def in_c(key: Key) -> Key:
    """cProfile's "<method 'append' of 'list' objects>", "<built-in method builtins.len>"."""
    words = key[2].strip("<>").split(" ")
    return "", 0, words[1].strip("'") if words[0] == "method" else words[2].rpartition(".")[2]


def of_recorder(work, c_calls: bool, times: str) -> Counter[Key]:
    with pyusdt.record(c_calls=c_calls, times=times) as rec:
        work()
    # Recursions are folded, and counted.
    assert rec.losses.keys() <= {FOLDED}
    return calls_of(rec)


def calls_of(rec) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    for f in rec.functions:
        # cProfile counts a generator's every resume as a call.
        counts[f.record.file, f.record.line, f.record.name] += f.calls + f.resumes
    return +counts  # without frames that were there before


@pytest.mark.parametrize("c_calls", [False, True], ids=["python", "c_calls"])
@pytest.mark.parametrize("work", workloads.ALL, ids=lambda work: work.__name__)
def test_counts(work, c_calls):
    work()  # what is done once only: imports, caches
    expected = of_cprofile(work, c_calls)
    assert of_recorder(work, c_calls, "exact") == expected
    assert of_recorder(work, c_calls, "sampled") == expected
