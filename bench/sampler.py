# SPDX-License-Identifier: Apache-2.0
"""What the sampler adds to a recording, whatever the number of threads."""

from bench.compare import Case
from bench.measure import Side, interleave
from bench.rows import Row, Target
from bench.subjects import Load

CALLS = 2_000_000
"""Some tenths of a second: the sampler looks dozens of times."""
THREADS = (1, 16, 200)
LIMIT = Target(1.02)
NOTE = "it may take 2% of a CPU's time, and on a busy machine the program has less of that"


def overhead(rounds: int) -> list[Row]:
    """Of a program whose threads wait, but for one. The sampler's own time counts."""
    rows = []
    for number in THREADS:
        load = Load(f"among {number}", CALLS)
        sampled, plain = Side("sampled", load), Side("not sampled", load)
        times = interleave([sampled, plain], rounds)
        rows.append(
            Row("recorder, sampler", threads(number), "ns per call", times[sampled], "no sampler",
                times[plain], LIMIT, NOTE)
        )  # fmt: skip
    return rows


def threads(number: int) -> str:
    return f"{number} threads" if number > 1 else "1 thread"


CASES = (Case("sampler", overhead),)
