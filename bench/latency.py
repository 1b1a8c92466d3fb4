# SPDX-License-Identifier: Apache-2.0
"""From the attach to the first event, and from the detach to a program that is left alone."""

import time

from bench.compare import Case
from bench.errors import BenchError, UnavailableError, told
from bench.measure import Side
from bench.processes import Worker
from bench.readers import READERS
from bench.rows import Row, Target
from bench.stats import Sample
from bench.subjects import SUBJECTS, Load

CASE, UNIT, PERIOD_MSEC = "latency, looking every 100 ms", "ms", 100
# On a busy machine a thread that wakes waits for its turn, and for the GIL (5 ms).
MARGIN_MSEC = 20
LOAD = Load("fib", 10)
MILLI = 1e-6
REASON = "a look at the semaphores every 100 ms, then the GIL; other programs on the machine"


def latencies(rounds: int) -> list[Row]:
    """The attach is over when bpftrace says so; the detach, when bpftrace has ended."""
    rows = []
    for subject in ("pyusdt", "earlier"):
        limit = Target(PERIOD_MSEC + MARGIN_MSEC) if subject == "pyusdt" else None
        case = f"{CASE}, {subject}"
        try:
            on, off = measured(subject, rounds)
        except (BenchError, UnavailableError) as error:
            rows.append(Row(case, "latency", UNIT, peer=subject, note=told(error)))
            continue
        for what, found in (("attached, to the first event", on), ("detached, to no events", off)):
            rows.append(Row(case, f"{what}, median", UNIT, Sample((found.median,))))
            worst = Sample((max(found.values),))
            rows.append(Row(case, f"{what}, worst", UNIT, worst, target=limit, note=REASON))
    return rows


def measured(subject: str, rounds: int) -> tuple[Sample, Sample]:
    side = Side(subject, LOAD, "count", ("PY_START",))
    attach = READERS[side.reader].attach
    assert attach is not None
    on, off = [], []
    command = SUBJECTS[subject].command(LOAD, side.probes)
    with Worker(command, PYUSDT_CHECK_MSEC=str(PERIOD_MSEC)) as worker:
        for _ in range(rounds):
            tracer = attach(SUBJECTS[subject], side.probes, worker.process.pid)
            try:
                attached = time.monotonic_ns()
                on.append(max(0, worker.wait_for_events() - attached) * MILLI)
            finally:
                tracer.finish()
            detached = time.monotonic_ns()
            off.append(max(0, worker.wait_for_silence() - detached) * MILLI)
    return Sample(tuple(on)), Sample(tuple(off))


CASES = (Case("latency", latencies, traced=True),)
