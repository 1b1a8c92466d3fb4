# SPDX-License-Identifier: Apache-2.0
"""What the lines of one function cost the rest of a recorded program."""

from bench.compare import Case
from bench.measure import Side, interleave
from bench.rows import Row, Target
from bench.subjects import Load

LOAD = Load("modules 200", 200)
LIMIT = Target(1.02)
NOTE = "the lines of one function of 200 modules; the others have no event more"


def one_function(rounds: int) -> list[Row]:
    lined, plain = Side("lines of one", LOAD), Side("recorded", LOAD)
    times = interleave([lined, plain], rounds)
    case, figure = "recorder, lines of one function", "a program of 200 modules"
    return [Row(case, figure, "ns per call", times[lined], "no lines", times[plain], LIMIT, NOTE)]


CASES = (Case("lines of one function", one_function),)
