# SPDX-License-Identifier: Apache-2.0
"""What it costs to follow the stack without a trap a call, and to filter functions."""

from bench.compare import FIB, Case, less
from bench.measure import Side, interleave
from bench.rows import Row, Target
from bench.subjects import Load

MODULES = Load("modules 200", 500)
UNIT = "ns per call"
SLOTS_REASON = "six events are dispatched by CPython, two a call"


def slow(rounds: int) -> list[Row]:
    """function__slow in the worst case: a threshold that no call reaches."""
    untraced = Side("python", FIB)
    traced = Side("pyusdt", FIB, "slow", ("function__slow",))
    times = interleave([traced, untraced], rounds)
    note = "the threshold is tested inside: no trap for a fast call; " + SLOTS_REASON
    return [
        Row(
            "function__slow",
            "program / untraced",
            UNIT,
            times[traced],
            "untraced",
            times[untraced],
            Target(3.0),
            note,
        )
    ]


def slots(rounds: int) -> list[Row]:
    """Scripts that read the slots, against a trap at every entry and exit."""
    untraced = Side("python", FIB)
    traps = Side("pyusdt", FIB, "count", ("PY_START", "PY_RETURN"))
    sides = {
        "slots alone": Side("pyusdt", FIB, "slots", ("thread__state",)),
        "pysys.bt": Side("pyusdt", FIB, "pysys", ("thread__state",)),
        "pyoffcpu.bt": Side("pyusdt", FIB, "pyoffcpu", ("thread__state",)),
    }
    times = interleave([*sides.values(), traps, untraced], rounds)
    trapped = less(times[traps], times[untraced])
    rows = []
    for name, side in sides.items():
        added, per_trap = less(times[side], times[untraced]), "added / a trap at entry and exit"
        limit = Target(round(1 / 15, 3))
        rows.append(
            Row(name, "added", UNIT, added, target=Target(60), note=SLOTS_REASON),
        )
        rows.append(Row(name, per_trap, UNIT, added, "traps", trapped, limit, SLOTS_REASON))
    return rows


def filtered(rounds: int) -> list[Row]:
    """A program of 200 modules of which one is traced, and a filtered-out function."""
    one, many = Side("one of many", MODULES, "some", ("PY_START",)), Side("python", MODULES)
    out, fib = Side("filtered out", FIB, "some", ("PY_START",)), Side("python", FIB)
    times = interleave([one, many, out, fib], rounds)
    fired = "one call in 200 fires a probe; the events of the other modules are disabled"
    return [
        Row(
            "one module of 200, PY_START",
            "program / untraced",
            UNIT,
            times[one],
            "untraced",
            times[many],
            Target(1.05),
            fired,
        ),
        Row(
            "a filtered-out function, PY_START",
            "program / untraced",
            UNIT,
            times[out],
            "untraced",
            times[fib],
            Target(1.05),
            "its event is disabled; only CPython's instrumented instruction remains",
        ),
    ]


CASES = (
    Case("function__slow", slow, traced=True),
    Case("slots", slots, traced=True),
    Case("filtered", filtered, traced=True),
)
