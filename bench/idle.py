# SPDX-License-Identifier: Apache-2.0
"""What pyusdt costs without a reader."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.compare import Case
from bench.errors import BenchError, UnavailableError
from bench.measure import Side, interleave
from bench.peers import ROOT
from bench.processes import Worker
from bench.rows import Row, Target
from bench.stats import Sample
from bench.subjects import SUBJECTS, WORKER, Load

CASE = "idle"
LOOP = Load("mixed", 6_000, 0)
# The loop's own instructions are those of a run of the second size, less those of the first. Both
# sizes have the same number of digits, and so have their iterations: printing a number takes
# instructions for each digit.
COUNTED_SIZES = (1000, 1500)
# What worker.py does from the request to the answer, without its start: that reads clocks, which
# takes a varying number of instructions. The first answer is "ready".
COUNTED = ("--zero-before=_Py_read", "--dump-before=_Py_write")
COUNTED_PART = "2-01"
WATCHED_SECONDS = 2.0
# It polls 10 times a second; one more poll may fall into the measured time.
WATCHER_LIMIT = 10.5
# The time in which a program that is ready falls asleep.
SETTLE_SECONDS = 0.2

MEMORY = """
def kilobytes():
    with open("/proc/self/smaps_rollup") as file:
        return {line.split()[0]: int(line.split()[1]) for line in file if line.endswith("kB\\n")}

kilobytes()
before = kilobytes()
import pyusdt
after = kilobytes()
print(after["Rss:"] - before["Rss:"], after["Pss:"] - before["Pss:"])
"""


def speed(rounds: int) -> list[Row]:
    """A pure-Python loop with pyusdt imported, and without."""
    with_it, without = Side("pyusdt", LOOP), Side("python", LOOP)
    found = interleave([with_it, without], 3 * rounds)
    figure, unit = "a pure-Python loop", "ns per iteration"
    # 1.00 within the noise of two equal programs.
    target = Target(1.01)
    return [Row(CASE, figure, unit, found[with_it], "without", found[without], target)]


def instructions(rounds: int) -> list[Row]:
    """The instructions of that loop in its thread, as callgrind counts them."""
    del rounds
    if shutil.which("valgrind") is None:
        needed = subprocess.run([ROOT / "tools" / "need", "valgrind"], check=False)
        if needed.returncode != 0:
            raise UnavailableError("valgrind is not installed; install it and run make bench again")
    values = {}
    for module in ("pyusdt", "-"):
        short, long = (callgrind(module, size) for size in COUNTED_SIZES)
        values[module] = Sample((float(long - short),))
    iterations = (COUNTED_SIZES[1] - COUNTED_SIZES[0]) * 64
    figure, unit = "its instructions", f"in {iterations:,} iterations"
    target = Target(1, exact=True)
    return [Row(CASE, figure, unit, values["pyusdt"], "without", values["-"], target)]


def callgrind(module: str, size: int) -> int:
    """Return the main thread's instructions for one request to run the loop."""
    with tempfile.TemporaryDirectory(prefix="pyusdt-bench-") as directory:
        output = Path(directory) / "out"
        valgrind = ("--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={output}")
        done = subprocess.run(
            ["valgrind", *valgrind, *COUNTED, sys.executable, WORKER, module, "mixed", str(size)],
            input=b"ux",
            # The watcher sleeps through the run.
            env=os.environ | {"PYTHONHASHSEED": "0", "PYUSDT_CHECK_MSEC": "10000"},
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise BenchError(f"valgrind failed: {done.stderr.decode(errors='replace').strip()}")
        part = Path(f"{output}.{COUNTED_PART}")
        if not part.exists():
            raise UnavailableError(
                "callgrind does not see this interpreter's _Py_read or _Py_write"
            )
        return total(part.read_text())


def total(profile: str) -> int:
    for line in profile.splitlines():
        if line.startswith("totals:"):
            return int(line.split()[1])
    raise BenchError("callgrind wrote no total")


def wakeups(rounds: int) -> list[Row]:
    """How often the threads of an idle program wake up, with the watcher's default period."""
    del rounds
    seconds = WATCHED_SECONDS
    command = SUBJECTS["pyusdt"].command(Load("mixed", 1, 0), ())
    with Worker(command, PYUSDT_CHECK_MSEC="100") as worker:
        time.sleep(SETTLE_SECONDS)
        before = switches(worker.process.pid)
        time.sleep(seconds)
        woken = switches(worker.process.pid) - before
    watcher = woken.pop("pyusdt", 0)
    rows = {
        "wake-ups of the watcher": (watcher, Target(WATCHER_LIMIT)),
        "wake-ups of other threads": (woken.total(), Target(0, exact=True)),
    }
    return [
        Row(CASE, figure, "per second", Sample((count / seconds,)), target=target)
        for figure, (count, target) in rows.items()
    ]


def switches(pid: int) -> Counter[str]:
    """Return how often each thread has gone to sleep so far, by its name."""
    found: Counter[str] = Counter()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                found[(task / "comm").read_text().strip()] += int(line.split()[1])
    return found


def memory(rounds: int) -> list[Row]:
    """The resident memory that `import pyusdt` adds to an interpreter."""
    command = [sys.executable, "-c", MEMORY]
    resident, proportional = [], []
    for _ in range(rounds):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"importing pyusdt failed: {done.stderr.strip()}")
        rss, pss = map(float, done.stdout.split())
        resident.append(rss)
        proportional.append(pss)
    return [
        Row(CASE, "memory of the import, RSS", "kB", Sample(tuple(resident))),
        Row(CASE, "memory of the import, PSS", "kB", Sample(tuple(proportional))),
    ]


CASES = (
    Case("idle: speed", speed),
    Case("idle: instructions", instructions),
    Case("idle: wake-ups", wakeups),
    Case("idle: memory", memory),
)
