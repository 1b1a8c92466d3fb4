# SPDX-License-Identifier: Apache-2.0
"""How costs grow with code objects, the depth of the stack, threads, and events."""

from collections.abc import Callable, Sequence
from pathlib import Path

from bench.compare import Case
from bench.measure import Side, interleave
from bench.processes import Worker
from bench.rows import Row, Target
from bench.stats import Sample
from bench.subjects import SUBJECTS, Load

CALLS = 100_000
UNIT = "ns per call"
CODES = (10, 100, 1_000, 10_000, 100_000)
DEPTHS = (10, 100, 1_000, 10_000)
THREADS = (1, 2, 4, 8, 16, 32, 64)
EVENTS = (10_000, 100_000, 1_000_000, 10_000_000)
LONG_EVENTS = 100_000_000
EXTRAPOLATED = 1_000_000_000
# The recorder's memory does not depend on the number of events.
GROWN_KB = 100


def curve(kind: str, sizes: Sequence[int], what: str) -> Callable[[int], list[Row]]:
    """A program traced at PY_START and a recorded one, each over the same program untraced."""

    def measure(rounds: int) -> list[Row]:
        rows = []
        for size in sizes:
            load = Load(f"{kind} {size}", max(1, CALLS // size))
            sides = {
                "PY_START counted": Side("pyusdt", load, "some", ("PY_START",)),
                "recorded": Side("recorded", load),
            }
            untraced = Side("python", load)
            times = interleave([*sides.values(), untraced], max(2, rounds // 3))
            rows += [
                Row(f"{size:,} {what}", figure, UNIT, times[side], "untraced", times[untraced])
                for figure, side in sides.items()
            ]
        return rows

    return measure


def events(rounds: int) -> list[Row]:
    """The recorder's time and memory, also extrapolated to a number too large to run."""
    many = (*EVENTS, LONG_EVENTS) if rounds >= 50 else EVENTS
    rows, times, grown = [], [], []
    for count in many:
        nanoseconds, kilobytes = recorded(count)
        times.append(nanoseconds)
        grown.append(kilobytes)
        case = f"{count:,} calls recorded"
        rows.append(Row(case, "time", UNIT, Sample((nanoseconds / count,))))
        rows.append(Row(case, "memory grown", "kB", Sample((kilobytes,)), target=Target(GROWN_KB)))
    case = f"{EXTRAPOLATED:,} calls recorded, extrapolated"
    slope = (times[-1] - times[-2]) / (many[-1] - many[-2])
    growth = max(0.0, (grown[-1] - grown[-2]) / (many[-1] - many[-2]))
    rows.append(Row(case, "time", "s", Sample((slope * EXTRAPOLATED / 1e9,))))
    rows.append(Row(case, "memory grown", "kB", Sample((grown[-1] + growth * EXTRAPOLATED,))))
    return rows


def recorded(count: int) -> tuple[int, float]:
    """Return the ns that so many calls take, and the kB by which they make the process grow."""
    with Worker(SUBJECTS["recorded"].command(Load("calls", count), ())) as worker:
        before = resident(worker.process.pid)
        nanoseconds, _ = worker.run()
        return nanoseconds, resident(worker.process.pid) - before


def resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return float(line.split()[1])
    return 0.0


CASES = (
    Case("code objects", curve("codes", CODES, "code objects"), traced=True),
    Case("depth", curve("depth", DEPTHS, "frames deep"), traced=True),
    Case("threads", curve("threads", THREADS, "threads"), traced=True),
    Case("events", events),
)
