# SPDX-License-Identifier: Apache-2.0
"""A storm from inside: semaphores, settings and recordings change at random under load:

    inside.py SEED ROUNDS

Prints "calm" when nothing is watched, no id is held, and whoever comes next counts exactly.
"""

from __future__ import annotations

import random
import sys

import load
import semaphores

import pyusdt
from pyusdt import libpyusdt

PATTERNS = ("", "load", "load:f*", "__main__", "asyncio,load:tree", "nothing.at.all")


def work() -> None:
    pass


def change_settings(dice: random.Random) -> None:
    pyusdt.configure(
        only=dice.choice(PATTERNS),
        exclude=dice.choice(PATTERNS[1:]) if dice.random() < 0.3 else "",
        values=dice.choice(("safe", "off")),
        slow=dice.choice(("1us", "10ms", "off")),
    )


def pause(dice: random.Random) -> None:
    """Let the watcher and the others run: for no time, a tick, or some."""
    for _ in range(dice.choice((0, 0, 10, 300))):
        load.recursion() if dice.random() < 0.1 else load.made()


def record(dice: random.Random) -> None:
    """Be watched by the recorder too, for a while; now and then from two sides."""
    with pyusdt.record(
        only=dice.choice(PATTERNS) or None,
        c_calls=dice.random() < 0.5,
        lines=dice.choice((None, "*", "all", *PATTERNS[1:])),
    ) as recording:
        pause(dice)
        if dice.random() < 0.5:
            with pyusdt.record(
                threads="current",
                max_nodes=dice.choice((1, 1000)),
                lines=dice.choice((None, "load:f*")),
            ):
                load.recursion()
                assert recording.functions is not None
        semaphores.up(dice.choice(semaphores.ALL))
        pause(dice)
    assert recording.threads
    assert all(row.hits >= 0 for row in recording.recording.line_rows)


def one_round(dice: random.Random) -> None:
    probes = dice.sample(semaphores.ALL, dice.randint(1, len(semaphores.ALL)))
    move = dice.random()
    if move < 0.40:
        semaphores.up(*probes)
    elif move < 0.80:
        semaphores.down(*probes)
    elif move < 0.88:
        change_settings(dice)
    elif move < 0.92:
        record(dice)
    elif move < 0.96:
        libpyusdt.stop()
        libpyusdt.start()
    else:
        semaphores.calm()
        assert semaphores.tool() is None
    pause(dice)


def count_exactly() -> None:
    """One tracer, after the storm: what it hears of a thousand calls."""
    pyusdt.configure(only="__main__:work", exclude="", values="safe", slow="10ms")
    semaphores.up("PY_START", "function__done", "PY_RETURN")
    before = {"PY_START": 0, "function__done": 0, "PY_RETURN": 0} | pyusdt.status()["probes_fired"]
    while len(semaphores.events()) < 6:
        pass
    for _ in range(1000):
        work()
    after = pyusdt.status()["probes_fired"]
    heard = {name: after[name] - before[name] for name in ("PY_START", "function__done")}
    assert heard == {"PY_START": 1000, "function__done": 1000}, heard
    semaphores.down("PY_START", "function__done", "PY_RETURN")
    semaphores.wait_for()
    count_lines_exactly()


def count_lines_exactly() -> None:
    """The next recording has the lines that it wants, and all hits of them."""
    with pyusdt.record(lines="__main__:work") as recording:
        for _ in range(1000):
            work()
    rows = recording.recording.line_rows
    assert [(row.record.name, row.hits) for row in rows] == [("work", 1000)], rows
    assert not recording.losses.get("lines")


def main(seed: int, rounds: int) -> None:
    dice = random.Random(seed)
    ids = [sys.monitoring.get_tool(i) for i in range(6)]
    with load.running() as failures:
        for _ in range(rounds):
            one_round(dice)
            assert not failures, failures
        semaphores.calm()
        assert semaphores.tool() is None
        assert [sys.monitoring.get_tool(i) for i in range(6)] == ids
        count_exactly()
    assert not failures, failures
    assert semaphores.watchers() == 1
    print("calm")


main(int(sys.argv[1]), int(sys.argv[2]))
