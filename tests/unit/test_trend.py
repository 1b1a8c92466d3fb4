# SPDX-License-Identifier: Apache-2.0
"""What is said to grow: series of programs that leak, and of such as do not, 200 of each."""

import random
from collections.abc import Callable

import pytest

from pyusdt.recording.trend import BLOCKS, trend

SEEDS = 200
Series = Callable[[random.Random, int], list[int]]
KB = 1000


def looked_at(alive: list[int], seed: int) -> list[tuple[int, int]]:
    """The points that the recorder takes of what is alive at the end of each iteration: up to 64,
    with random numbers of iterations between them (src/memory/growth.h)."""
    chance, apart, due = random.Random(seed), 1, 1
    points: list[tuple[int, int]] = []
    for iteration, bytes_ in enumerate(alive, 1):
        if iteration < due:
            continue
        if len(points) == 64:
            points, apart = points[1::2], 2 * apart
        points.append((iteration, bytes_))
        due = iteration + 1 + chance.randrange(2 * apart - 1)
    return points


def walk(chance: random.Random, n: int) -> list[int]:
    """As many more as fewer: a queue between two that work."""
    now, alive = 0, []
    for _ in range(n):
        now += chance.choice((-KB, KB))
        alive.append(now)
    return alive


def swing(chance: random.Random, n: int) -> list[int]:
    """Around a level, slowly."""
    now, alive = 0.0, []
    for _ in range(n):
        now = 0.98 * now + chance.gauss(0, KB)
        alive.append(100 * KB + round(now))
    return alive


def anything(chance: random.Random, n: int) -> list[int]:
    """Now and then much."""
    return [round(chance.expovariate(1 / (10 * KB))) for _ in range(n)]


def sawtooth(chance: random.Random, n: int) -> list[int]:
    """Emptied when it is full, a few times at least."""
    period = chance.randrange(3, n // 2)
    return [KB * (i % period) for i in range(n)]


def cache(chance: random.Random, n: int) -> list[int]:
    """Filled evenly, and then full."""
    full = chance.randrange(1, n * 8 // 10)
    return [KB * min(i, full) for i in range(n)]


def memo(chance: random.Random, n: int) -> list[int]:
    """Filled with what is new, which is ever less."""
    keys, seen, alive = chance.randrange(5, n // 5), set[int](), []
    for _ in range(n):
        seen.add(chance.randrange(keys))
        alive.append(KB * len(seen))
    return alive


def jumps(chance: random.Random, n: int) -> list[int]:
    """More all at once, up to three times."""
    at = [chance.randrange(n) for _ in range(chance.randrange(1, 4))]
    return [5_000_000 * sum(a <= i for a in at) for i in range(n)]


def constant(_: random.Random, n: int) -> list[int]:
    return [KB] * n


def shrinking(chance: random.Random, n: int) -> list[int]:
    return [KB * (n - i) + chance.randrange(KB) for i in range(n)]


LEVEL: tuple[Series, ...] = (
    walk, swing, anything, sawtooth, cache, memo, jumps, constant, shrinking,
)  # fmt: skip


@pytest.mark.parametrize("series", LEVEL)
def test_what_does_not_grow_is_not_said_to(series: Series) -> None:
    """In a program of 50 such places, in none of 200."""
    for seed in range(SEEDS):
        found = trend(looked_at(series(random.Random(seed), 1000), seed))
        assert found is not None
        assert not found.grows(50), (seed, found)


def leak(_: random.Random, n: int) -> list[int]:
    return [KB * i for i in range(1, n + 1)]


def noisy(chance: random.Random, n: int) -> list[int]:
    """Among what comes and goes at the same line."""
    return [KB * i + chance.randrange(20 * KB) for i in range(1, n + 1)]


def rare(chance: random.Random, n: int) -> list[int]:
    """5 kB, in every fifth iteration or so."""
    now, alive = 0, []
    for _ in range(n):
        now += 5 * KB * (chance.random() < 0.2)
        alive.append(now)
    return alive


def after_a_cache(chance: random.Random, n: int) -> list[int]:
    """And a cache that fills in the first iterations, with a hundred times as much."""
    full = chance.randrange(1, n // 6)
    return [KB * i + 100 * KB * min(i, full) for i in range(1, n + 1)]


@pytest.mark.parametrize("series", [leak, noisy, rare, after_a_cache])
def test_what_grows_is_said_to_within_its_interval(series: Series) -> None:
    within = 0
    for seed in range(SEEDS):
        found = trend(looked_at(series(random.Random(seed), 1000), seed))
        assert found is not None
        assert found.grows(50), (seed, found)
        assert 0.7 * KB < found.slope < 1.3 * KB
        within += found.low <= KB + 1e-6 and found.high >= KB - 1e-6
    assert within >= SEEDS * 0.95  # of 99 %


@pytest.mark.parametrize("n", [1000, 100_000])
def test_a_leak_is_exact(n: int) -> None:
    found = trend(looked_at(leak(random.Random(0), n), n))
    assert found is not None
    assert (found.slope, found.low, found.high, found.chance) == (KB, KB, KB, 0)
    assert found.grows(1_000_000)


def test_more_places_need_more_certainty() -> None:
    series = looked_at([KB * i + 20 * KB * (i * i % 7) for i in range(1000)], 3)
    found = trend(series)
    assert found is not None
    assert found.is_steady
    assert found.grows(1)
    assert not found.grows(round(0.002 / found.chance))


def test_too_few_points_have_no_trend() -> None:
    assert trend([]) is None
    assert trend([(i, KB * i) for i in range(1, BLOCKS + 1)]) is None
    found = trend([(i, KB * i) for i in range(1, BLOCKS + 5)])
    assert found is not None
    assert found.slope == KB
