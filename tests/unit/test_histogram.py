# SPDX-License-Identifier: Apache-2.0
"""Percentiles: against exact ones of 30 distributions, from the core's counts to the report."""

import math
import random
import sqlite3
from collections import Counter

import pytest
from recordings import MS, snapshot

from pyusdt.errors import UserError
from pyusdt.recording import Recording, load, write
from pyusdt.recording.counts import CountedDuration, CountedNode, CountedThread, Counts
from pyusdt.recording.histogram import middle_of_old, percentile
from pyusdt.recording.snapshot import FunctionRow
from pyusdt.recording.totals import Totals

pytestmark = pytest.mark.apart

RATE = 0.3704  # ns a tick
US, S, HOUR = 1_000, 1_000_000_000, 3_600_000_000_000
DISTRIBUTIONS = {
    **{f"constant {ns}": [ns] for ns in (1, 7, 63, 64, 1005, 40 * MS, 4.03 * S, 30 * HOUR)},
    **{f"uniform to {ns}": (lambda r, ns=ns: r.uniform(0, ns)) for ns in (100, US, MS, S, HOUR)},
    **{f"narrow at {ns}": (lambda r, ns=ns: r.gauss(ns, ns / 200)) for ns in (US, 37 * MS, S)},
    **{f"exponential {ns}": (lambda r, ns=ns: r.expovariate(1 / ns)) for ns in (50, US, MS, S)},
    **{f"lognormal {s}": (lambda r, s=s: r.lognormvariate(12, s)) for s in (0.1, 1, 2, 4)},
    "bimodal": lambda r: r.choice((10 * US, 40 * MS)),
    "bimodal, rare": lambda r: r.choice((10 * US,) * 99 + (4 * S,)),
    "bimodal, blurred": lambda r: r.gauss(*r.choice(((US, 20), (9 * MS, MS)))),
    "pareto 1": lambda r: 100 * r.paretovariate(1),
    "pareto 0.5": lambda r: 100 * r.paretovariate(0.5),
    "two buckets": lambda r: r.choice((1000, 1019)),
}


def bucket(ticks):
    """As src/base/histogram.h has it: its first value, and its middle."""
    if ticks < 64:
        return ticks, ticks
    power = ticks.bit_length() - 7
    top = ticks >> power
    top -= top % 2 if top >= 96 else 0
    width = (2 if top >= 96 else 1) << power
    return top << power, (top << power) + (width - 1) // 2


def as_the_core_counts(values):
    """Ticks and counts: the shortest and the longest value, and the middles of buckets."""
    ends = [min(values), max(values)][: 1 if min(values) == max(values) else 2]
    inner = Counter(values)
    inner.subtract(ends)
    counts = Counter(ends)
    for value in inner.elements():
        counts[min(max(bucket(value)[1], ends[0]), ends[-1])] += 1
    return counts


def recorded(values):
    """A function that took so many ticks each time."""
    counts = Counts(
        RATE,
        [CountedThread(1, 1, 1, "t", sum(values))],
        [CountedNode(1, 2, -1, 5, len(values), 0, 0, sum(values), sum(values))],
        [CountedDuration(1, 5, *row) for row in as_the_core_counts(values).items()],
        {},
    )
    function = FunctionRow(5, "m", "f", "f", "f.py", 1)
    snapshot = Totals(lambda _: True).update(counts, Counts(RATE, [], [], [], {}), {5: function})
    return Recording.from_snapshot(snapshot).functions[0]


def test_there_are_thirty():
    assert len(DISTRIBUTIONS) == 30


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_percentiles_are_near_the_exact_ones(name):
    draw = DISTRIBUTIONS[name]
    random_ = random.Random(name)
    draws = draw * 100 if isinstance(draw, list) else [draw(random_) for _ in range(3000)]
    ticks = sorted(max(round(ns / RATE), 0) for ns in draws)
    exact = [value * RATE for value in ticks]
    function = recorded(ticks)
    assert (function.min_ns, function.max_ns) == (round(exact[0]), round(exact[-1]))
    for share in (0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0):
        true = exact[math.ceil(share * len(exact)) - 1]
        got = function.percentile(share)
        assert function.min_ns <= got <= function.max_ns
        assert got == pytest.approx(true, rel=0.015, abs=0.5), share


def test_percentiles_have_the_digits_that_are_known():
    counts = {1_234_567: 1, 40_123_456: 3, 987_654_321: 1}
    assert percentile(counts, 0) == 1_234_567
    assert percentile(counts, 0.5) == 40_120_000
    assert percentile(counts, 1) == 987_654_321
    assert percentile({}, 0.5) is None


def old_recording(path):
    """One of format 2, with four buckets an octave."""
    write(path, snapshot())
    database = sqlite3.connect(path)
    database.executescript("""
        DROP VIEW latencies;
        DROP TABLE histograms;
        CREATE TABLE histograms (process INTEGER NOT NULL, function INTEGER NOT NULL,
            bucket INTEGER NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (process, function, bucket)) WITHOUT ROWID;
        INSERT INTO histograms SELECT 1, id, 77, 10 FROM functions WHERE name = 'read';
        INSERT INTO histograms SELECT 1, id, 85, 10 FROM functions WHERE name = 'read';
        PRAGMA user_version = 2;
    """)
    database.close()


def test_older_recordings_are_read(tmp_path):
    """Their buckets are from 1,048,576 to 1,310,720 ns, and four times as far."""
    path = tmp_path / "old.pyusdt"
    old_recording(path)
    (read,) = [f for f in load(path).functions if f.record.name == "read"]
    assert (read.calls, read.p50_ns, read.p99_ns) == (20, middle_of_old(77), middle_of_old(85))
    assert (read.p50_ns, read.p99_ns) == (1_400_000, 5_800_000)
    database = sqlite3.connect(path)
    database.execute("UPDATE histograms SET bucket = 252 WHERE bucket = 85")
    database.commit()
    database.close()
    with pytest.raises(UserError, match="a histogram has bucket 252, and the last is 251"):
        load(path)
