# SPDX-License-Identifier: Apache-2.0
"""The recorder with memory, beside the other tools that know who allocates."""

from collections.abc import Iterable, Sequence

from bench.compare import Case, less, scaled
from bench.measure import Lost, Side, interleave
from bench.race import FEWER, MILLI, added, in_grid
from bench.rows import Row, Target
from bench.stats import Sample
from bench.subjects import Load

NAMES = (
    "methods",
    "richards",
    "deltablue",
    "raytrace",
    "logging",
    "integers",
    "200,000 integers kept",
)
PLAIN, EXACT, SAMPLED, PYTHON = (
    "recorder",
    "recorder, memory",
    "recorder, memory sampled",
    "recorder, memory of Python",
)
TRACEMALLOC, MEMRAY = "tracemalloc", "memray"
SUBJECTS = (
    PLAIN,
    EXACT,
    SAMPLED,
    PYTHON,
    TRACEMALLOC,
    MEMRAY,
    "memray, Python allocators",
    "scalene, memory",
)
GRID = "memory, time / untraced"
CASE = "recorder, memory"
ADDS, BELOW, THIRD, LITTLE = Target(0.25), Target(1), Target(0.33), Target(1.03)
WRAPPED = (
    "from its allocation to its free a block costs some 12 ns, or 2 to 3 ns sampled; wrappers "
    "around CPython's allocators that do nothing cost 2 ns, which is a tenth of a bare loop"
)
NOTHING = "memray's native mode sees none of the small blocks that Python's own allocator keeps"


def workload(name: str) -> Case:
    def measure(rounds: int) -> list[Row]:
        load, lost = Load(name, 1), Lost()
        sides = {subject: Side(subject, load) for subject in ("untraced", *SUBJECTS)}
        times = interleave(list(sides.values()), max(3, rounds // FEWER), lost)
        times = {side: scaled(sample, MILLI) for side, sample in times.items()}
        rows = in_grid(name, GRID, sides, times, lost)
        return [*rows, *verdicts(name, {side.subject: times[side] for side in times})]

    return Case(f"memory: {name}", measure)


def verdicts(name: str, times: dict[str, Sample]) -> list[Row]:
    """Of the sides that could be measured."""

    def row(
        figure: str, over: str, under: str, limit: Target, note: str, above: str = ""
    ) -> list[Row]:
        if not {over, under, above or over} <= times.keys():
            return []
        value = less(times[over], times[above]) if above else times[over]
        return [Row(CASE, figure, "ms", value, under, times[under], limit, note)]

    return [
        *row(f"{name}: adds to the recorder", EXACT, "untraced", ADDS, WRAPPED, above=PLAIN),
        *row(f"{name} / memray", EXACT, MEMRAY, BELOW, NOTHING),
        *row(f"{name}: sampled / recorder", SAMPLED, PLAIN, LITTLE, WRAPPED),
    ]


def summary(rows: Iterable[Row]) -> list[Row]:
    """What the recorder with memory adds in the mean, over what the others do."""
    cells = [row for row in rows if row.grid == GRID and row.ratio is not None]
    ours = of(EXACT, cells)
    found = []
    for peer in SUBJECTS[SUBJECTS.index(TRACEMALLOC) :]:
        theirs = of(peer, cells)
        if ours and {row.case for row in theirs} >= {row.case for row in ours}:
            found.append(mean(peer, ours, theirs))
    return found


def of(subject: str, cells: Iterable[Row]) -> list[Row]:
    return [row for row in cells if row.figure == subject]


def mean(peer: str, ours: Sequence[Row], theirs: Sequence[Row]) -> Row:
    over, under = Sample((added(ours),)), Sample((added(theirs),))
    limit = THIRD if peer == TRACEMALLOC else None
    unit = f"geometric mean over {len(ours)} workloads"
    return Row(CASE, f"adds / {peer}", unit, over, peer, under, limit)


CASES = tuple(workload(name) for name in NAMES)
