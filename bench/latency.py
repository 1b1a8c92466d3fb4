# SPDX-License-Identifier: Apache-2.0
"""The time from the attach to enabled events, and from the detach to disabled events."""

import random
import time

from bench.compare import Case
from bench.errors import BenchError, UnavailableError, one_line
from bench.processes import Worker
from bench.rows import Row, Target
from bench.semaphore import raised
from bench.stats import Sample
from bench.subjects import SUBJECTS, Load

CASE, UNIT, PERIOD_MSEC = "latency, looking every 100 ms", "ms", 100
# On a busy machine a waking thread waits for a CPU, and for the GIL (5 ms).
MARGIN_MSEC = 20
LOAD, PROBE = Load("fib", 10), "PY_START"
REASON = "the watcher polls every 100 ms, then waits for the GIL; other programs on the machine"
# Events are disabled after two polls in a row without demand (cpython #141845, watcher.c).
LOOKS_ON, LOOKS_OFF = 1, 2


def latencies(rounds: int) -> list[Row]:
    """Measured from the change of the semaphore, which a tracer makes as it places its probe."""
    rows = []
    for subject in ("pyusdt", "earlier"):
        case = f"{CASE}, {subject}"
        try:
            on, off = measured(subject, rounds)
        except (BenchError, UnavailableError) as error:
            rows.append(Row(case, "latency", UNIT, peer=subject, note=one_line(error)))
            continue
        rows += pair(case, "attached, to events on", on, LOOKS_ON)
        rows += pair(case, "detached, to no events", off, LOOKS_OFF)
    return rows


def pair(case: str, what: str, found: Sample, looks: int) -> list[Row]:
    """The median and the worst, for a change that takes the watcher so many polls."""
    worst = Sample((max(found.values),))
    limit = Target(looks * PERIOD_MSEC + MARGIN_MSEC) if case.endswith("pyusdt") else None
    return [
        Row(case, f"{what}, median", UNIT, Sample((found.median,))),
        Row(case, f"{what}, worst", UNIT, worst, target=limit, note=REASON),
    ]


def measured(subject: str, rounds: int) -> tuple[Sample, Sample]:
    """Return the ms until events are enabled, and until they are disabled again."""
    library = SUBJECTS[subject].library
    assert library is not None
    on, off = [], []
    command = SUBJECTS[subject].command(LOAD, (PROBE,))
    with Worker(command, PYUSDT_CHECK_MSEC=str(PERIOD_MSEC)) as worker:
        for _ in range(rounds):
            wait_a_part_of_a_period()
            with raised(worker.process.pid, library(), PROBE):
                begin = time.monotonic_ns()
                on.append((worker.wait_for_events() - begin) / 1e6)
                wait_a_part_of_a_period()
            begin = time.monotonic_ns()
            off.append((worker.wait_for_silence() - begin) / 1e6)
    return Sample(tuple(on)), Sample(tuple(off))


def wait_a_part_of_a_period() -> None:
    """Wait, so that the change comes at any moment between two polls."""
    time.sleep(random.random() * PERIOD_MSEC / 1000)


CASES = (Case("latency", latencies),)
