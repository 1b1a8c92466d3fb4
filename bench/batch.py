# SPDX-License-Identifier: Apache-2.0
"""What entries and exits cost with one trap for 64 of them."""

from bench.compare import FIB, Case, less, scaled
from bench.measure import Side, interleave
from bench.rows import Row, Target

UNIT = "ns per event"
# An entry and an exit.
EVENTS_OF_A_CALL = 2
SHARE = "a script that counts calls by function reads each record; exits are recorded too"


def batch(rounds: int) -> list[Row]:
    """pybatch.bt, which counts calls by function, against a trap for each event."""
    untraced = Side("python", FIB)
    batched = Side("pyusdt", FIB, "pybatch", ("events", "code__new"))
    traps = Side("pyusdt", FIB, "count", ("PY_START", "PY_RETURN"))
    calls = Side("pyusdt", FIB, "by id", ("PY_START",))
    floor = Side("floor", FIB, "count", ("PY_START",))
    times = interleave([batched, traps, calls, floor, untraced], rounds)
    a_call = less(times[batched], times[untraced])
    an_event = scaled(a_call, 1 / EVENTS_OF_A_CALL)
    a_trap = scaled(less(times[traps], times[untraced]), 1 / EVENTS_OF_A_CALL)
    start = less(times[calls], times[untraced])
    limit = Target(0.25)
    return [
        Row("pybatch.bt", "added / a trap", UNIT, an_event, "traps", a_trap, limit, SHARE),
        Row("pybatch.bt", "added / floor", UNIT, an_event, "floor", times[floor], limit, SHARE),
        Row("pybatch.bt", "added / PY_START by id", "ns per call", a_call, "trap", start),
    ]


CASES = (Case("batch", batch, traced=True),)
