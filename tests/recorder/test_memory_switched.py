# SPDX-License-Identifier: Apache-2.0
"""The account of memory comes and goes while eight threads allocate and free."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from harness import DEADLINE, ROOT, VARIABLES

TIMES = 1000
PYTHON, ALL, PYTHON_SAMPLED, ALL_SAMPLED = 1, 3, 5, 7
GROWN = 32_000_000
"""More than so many bytes are no chance: the smallest tables that are not given back."""

CODE = """
import json, sys, threading
from pyusdt import libpyusdt as core
import pyusdt
from recorder.programs import allocates

def in_ram():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def switch(times):
    for i in range(times):
        assert core.record(False, False, 1000, "", "", "", False, KINDS[i % len(KINDS)])
        core.record_stop()

sys.setswitchinterval(1e-5)
stop = threading.Event()
threads = [threading.Thread(target=allocates.storm, args=(stop.is_set,)) for _ in range(8)]
for thread in threads:
    thread.start()
switch(TIMES // 10)
before = in_ram()
switch(TIMES)
grown = in_ram() - before
stop.set()
for thread in threads:
    thread.join()
left = core.allocated()
kept = []
with pyusdt.record(memory=True) as rec:
    kept.extend(bytes(1000) for _ in range(100))
print(json.dumps([left, rec.recording.memory_totals.live_blocks >= 100, rec.losses, grown]))
"""


def switched(kinds: list[int]) -> None:
    """Nothing is left behind, and it works as before."""
    head = f"KINDS, TIMES = {kinds}, {TIMES}\n"
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", head + CODE],
        env=os.environ | VARIABLES | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=4 * DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    left, works, losses, grown = json.loads(done.stdout)
    assert (left, works, losses) == ([0, 0, 0, 0], True, {})
    assert VARIABLES or grown < GROWN  # sanitizers keep what is freed


def test_memory_of_python() -> None:
    switched([PYTHON, PYTHON_SAMPLED])


def test_all_memory() -> None:
    switched([ALL, PYTHON, ALL_SAMPLED, PYTHON_SAMPLED])
