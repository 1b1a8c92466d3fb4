# SPDX-License-Identifier: Apache-2.0
"""Steps and marks leave no object behind, watched or not, in use or misused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.leaks

TESTS = Path(__file__).resolve().parents[1]
DEADLINE = 60

# A process of its own: nobody else allocates in it.
SCRIPT = """
import asyncio, contextlib, gc, sys
import pyusdt
from unit.inside import watched

ROUNDS = 1000
shared = pyusdt.step("shared")
name = "n\\u00e4me"
odd = "odd\\udc80"

@pyusdt.step("decorated")
def decorated(n):
    if n:
        decorated(n - 1)

async def produce():
    yield 1
    yield 2

async def loop():
    async for _ in pyusdt.steps(produce(), name):
        break

def use():
    for text in (name, odd):
        pyusdt.mark(text, value=[10**30, object()])
        fresh = pyusdt.step(text)
        with fresh, shared, fresh, shared, fresh:
            pass
        for _ in pyusdt.steps(iter(range(4)), text):
            break
    with contextlib.suppress(ValueError), pyusdt.step(name):
        for _ in pyusdt.steps(range(4), name):
            raise ValueError
    decorated(10)
    with contextlib.suppress(StopIteration):
        loop().send(None)

def misuse():
    for call in (lambda: pyusdt.mark(), lambda: pyusdt.mark(3), lambda: pyusdt.mark("a", x=1),
                 lambda: pyusdt.mark("a", name="b"), lambda: pyusdt.mark(1, 2, 3),
                 lambda: pyusdt.step(b"x"), lambda: pyusdt.steps(3, "x"),
                 lambda: pyusdt.steps([], 3), lambda: pyusdt.step("x")(3)):
        with contextlib.suppress(TypeError):
            call()
            raise AssertionError

def grown(work):
    for _ in range(50):
        work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(ROUNDS):
        work()
    gc.collect()
    return sys.getallocatedblocks() - before

references = [sys.getrefcount(text) for text in (name, odd)]
print("unwatched", grown(use))
with watched("mark", "step__start", "step__done"):
    print("watched", grown(use))
print("misused", grown(misuse))
after = [sys.getrefcount(text) for text in (name, odd)]
print("references", *[b - a for a, b in zip(references, after)])
"""


@pytest.mark.usefixtures("library")
def test_no_object_is_left_behind() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {line.split()[0]: list(map(int, line.split()[1:])) for line in done.stdout.splitlines()}
    assert found.pop("references") == [0, 0]
    assert found.keys() == {"unwatched", "watched", "misused"}
    for case, (blocks,) in found.items():
        assert blocks < 500, f"{case}: {blocks} blocks more after 1000 rounds"
