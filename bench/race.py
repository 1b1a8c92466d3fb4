# SPDX-License-Identifier: Apache-2.0
"""The recorder against the other profilers, on every workload."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import exp, log
from statistics import fmean

from bench import workloads
from bench.compare import Case, scaled
from bench.measure import Lost, Side, interleave
from bench.rows import Row, Target
from bench.stats import Sample
from bench.subjects import Load

# Profilers of Python functions only, and of C functions too. The first one is ours.
PYTHON_ONLY = (
    "recorder",
    "cProfile, no builtins",
    "profiling.tracing, no builtins",
    "viztracer, no C",
    "yappi",
    "line_profiler",
)
WITH_C = ("recorder, C calls", "cProfile", "profiling.tracing", "viztracer", "yappi, builtins")
# The recorder that takes no times of calls, against those that do.
COUNTS_ONLY = ("recorder, sampled", *PYTHON_ONLY[1:])
# The recorder of lines, against the other profiler that times each of them.
LINES = ("recorder, lines", "line_profiler")
# These do not time every call: they are shown, but the recorder is not compared with them.
OTHERS = ("coverage", "pyinstrument", "scalene")
RACES = {
    "Python functions": PYTHON_ONLY,
    "Python functions, --times sampled": COUNTS_ONLY,
    "with C functions": WITH_C,
    "lines": LINES,
}
# Profilers that only the newest Python has, and ours beside them.
BESIDE = ("recorder", "profiling.tracing", "viztracer")
SAMPLERS = ("py-spy", "austin", "profiling.sampling")
SOME = ("recursive function", "richards", "asyncio")
"""Workloads for the cases that take long."""
# Profilers that write a profile by function, measured from start to file.
WHOLE = (
    "recorder",
    "cProfile, no builtins",
    "profiling.tracing, no builtins",
    "viztracer, no C",
    "yappi",
)
# Without calls no profiler costs anything, and noise decides which is first.
NOISE = 0.02
WORST, C_CALLS = "recursive function", "C calls"
WORST_LIMITS = {"recorder": 2.5, "recorder, sampled": 2.4}
LINE_LIMITS = {"lines": 3.6, "richards": 3.5, "deltablue": 3.5}
"""By workload, for the recorder of lines."""
HALF = Target(0.5)
# Why a peer may be hard to beat.
REASONS = {
    "viztracer": "viztracer only writes an entry a call into a ring, and loses the oldest; the "
    "recorder keeps totals and percentiles by calling context, and loses none; until the result is "
    "in a file, viztracer takes many times as long (see the table from start to file)"
}
MILLI = 1e-6
# Rounds here are fewer by this factor: there are many sides, and they take longer.
FEWER, MUCH_FEWER = 2, 5


def grid(world: str, kind: str = "profilers") -> str:
    return f"{kind}, time / untraced{world}"


def workload(name: str, world: str, subjects: Sequence[str]) -> Case:
    """All profilers on one workload, and the recorder's place among them."""

    def measure(rounds: int) -> list[Row]:
        load, lost = Load(name, 1), Lost()
        sides = {subject: Side(subject, load) for subject in ("untraced", *subjects)}
        times = interleave(list(sides.values()), max(3, rounds // FEWER), lost)
        times = {side: scaled(sample, MILLI) for side, sample in times.items()}
        rows = in_grid(name, grid(world), sides, times, lost)
        return [*rows, *(row for race in RACES for row in verdict(race, name, world, rows))]

    return Case(f"profilers: {name}", measure)


def in_grid(
    name: str, title: str, sides: dict[str, Side], times: dict[Side, Sample], lost: Lost
) -> list[Row]:
    base = times.get(sides["untraced"])
    rows = []
    for subject, side in sides.items():
        if subject == "untraced":
            continue
        measured = base is not None and side in times
        over, under = (times[side], base) if measured else (None, None)
        note = lost.get(side, lost.get(sides["untraced"], ""))
        rows.append(Row(name, subject, "ms", over, "untraced", under, note=note, grid=title))
    return rows


def verdict(race: str, name: str, world: str, rows: Iterable[Row]) -> list[Row]:
    """The recorder over the best peer in this race."""
    ran = {row.figure: row for row in rows if row.over and row.under}
    ours, *peers = (subject for subject in RACES[race] if subject in ran)
    if ours != RACES[race][0] or not peers:
        return []
    best = min(peers, key=lambda peer: least(ran[peer].over))
    # Only noise makes a profiler faster than none.
    under = max(ran[best].over, ran[best].under, key=least)
    note = "a target of 1.00, and the noise of programs that call next to nothing"
    case, limit = f"recorder, {race}{world}", Target(1 + NOISE)
    return [Row(case, f"{name} / best peer", "ms", ran[ours].over, best, under, limit, note)]


def least(sample: Sample | None) -> float:
    assert sample is not None
    return sample.minimum


def summary(rows: Sequence[Row]) -> list[Row]:
    """The summary of all workloads, from the rows of the grids."""
    found = []
    for title in dict.fromkeys(row.grid for row in rows if row.grid.startswith(grid(""))):
        cells = [row for row in rows if row.grid == title and row.ratio is not None]
        world = title.removeprefix(grid(""))
        for race, subjects in RACES.items():
            case = f"recorder, {race}{world}"
            found += overall(case, subjects, cells)
            found += won(case, rows)
        found += worst(world, cells)
        found += c_calls(f"recorder, with C functions{world}", cells)
        found += all_lines(f"recorder, lines{world}", cells)
    return found


def overall(case: str, subjects: Sequence[str], cells: Sequence[Row]) -> list[Row]:
    """The geometric mean of what tracing adds, ours over each peer's; the best peer's first."""
    ran = {subject: {row.case for row in cells if row.figure == subject} for subject in subjects}
    everywhere = ran[subjects[0]]
    # A peer that fails on a workload is not compared by the others alone.
    means = {
        subject: added([row for row in cells if row.figure == subject])
        for subject in subjects
        if ran[subject] and ran[subject] >= everywhere
    }
    if subjects[0] not in means:
        return []
    ours, unit = means.pop(subjects[0]), f"geometric mean over {len(everywhere)} workloads"
    peers = sorted(means, key=lambda peer: means[peer])
    rows = [
        Row(case, f"adds / {peer}", unit, Sample((ours,)), peer, Sample((means[peer],)))
        for peer in peers
    ]
    note = REASONS.get(peers[0].partition(",")[0], "") if peers else ""
    best = [replace(row, figure="adds / best peer", target=HALF, note=note) for row in rows[:1]]
    return [*best, *rows]


def won(case: str, rows: Sequence[Row]) -> list[Row]:
    """The number of workloads on which the recorder is the fastest."""
    verdicts = [row.met for row in rows if row.case == case and row.figure.endswith("/ best peer")]
    if not verdicts:
        return []
    count, of = Sample((float(sum(map(bool, verdicts))),)), Sample((float(len(verdicts)),))
    return [
        Row(case, "is the fastest", "workloads", count),
        Row(case, "was compared", "workloads", of),
    ]


def added(cells: Iterable[Row]) -> float:
    """The geometric mean of the ratios less one, each at least the smallest measurable one."""
    ratios = (row.ratio.best for row in cells if row.ratio)
    return exp(fmean(log(max(NOISE, ratio - 1)) for ratio in ratios))


def worst(world: str, cells: Sequence[Row]) -> list[Row]:
    """The recorders where a call does nothing."""
    figure, note = f"{WORST}, time / untraced", "two events of CPython's a call, and two clocks"
    return [
        Row(f"{case}{world}", figure, row.unit, row.over, row.peer, row.under, Target(limit), note)
        for case, (subject, *_) in ((f"recorder, {race}", RACES[race]) for race in RACES)
        for row in cells
        if row.case == WORST and row.figure == subject
        for limit in [WORST_LIMITS.get(subject)]
        if limit is not None
    ]


def c_calls(case: str, cells: Sequence[Row]) -> list[Row]:
    """What tracing adds to C calls, the recorder's over that of cProfile."""
    rows = {row.figure: row for row in cells if row.case == C_CALLS}
    ours, peer = rows.get(WITH_C[0]), rows.get(WITH_C[1])
    if ours is None or peer is None:
        return []
    over, under = (Sample((added([row]),)) for row in (ours, peer))
    figure, unit = f"{C_CALLS}: adds / {WITH_C[1]}", "times the load"
    return [Row(case, figure, unit, over, WITH_C[1], under, HALF)]


def all_lines(case: str, cells: Sequence[Row]) -> list[Row]:
    """The recorder of lines on the workloads that have a limit."""
    note = (
        "CPython's own events are most of it: of deltablue, with callbacks that do nothing, 3.1; "
        "with the call tree, a clock a line and one a call"
    )
    return [
        Row(case, f"{row.case}, time / untraced", row.unit, row.over, row.peer, row.under,
            Target(LINE_LIMITS[row.case]), note)
        for row in cells
        if row.figure == LINES[0] and row.case in LINE_LIMITS
    ]  # fmt: skip


def samplers(world: str, names: Sequence[str]) -> Callable[[int], list[Row]]:
    """Samplers outside, 100 times a second; the times include their own processor time."""

    def measure(rounds: int) -> list[Row]:
        rows = []
        for name in SOME:
            load, lost = Load(name, 4), Lost()
            sides = {"untraced": Side("untraced", load), "recorder": Side("recorder", load)}
            sides |= {sampler: Side("untraced", load, sampler) for sampler in names}
            times = interleave(list(sides.values()), max(3, rounds // FEWER), lost)
            times = {side: scaled(sample, MILLI) for side, sample in times.items()}
            rows += in_grid(name, grid(world, "samplers"), sides, times, lost)
        return rows

    return measure


def written(world: str) -> Callable[[int], list[Row]]:
    """The time from the profiler's start to the file with its result."""

    def measure(rounds: int) -> list[Row]:
        rows = []
        for name in SOME:
            load, lost = Load(name, 1), Lost()
            sides = {peer: Side(f"{peer}, to a file", load) for peer in ("untraced", *WHOLE)}
            times = interleave(list(sides.values()), max(2, rounds // MUCH_FEWER), lost)
            times = {side: scaled(sample, MILLI) for side, sample in times.items()}
            rows += in_grid(name, grid(world, "profilers, from start to file"), sides, times, lost)
        return rows

    return measure


def cases(world: str = "") -> tuple[Case, ...]:
    """`world` is a suffix for the names of the rows, empty for the first world."""
    subjects: tuple[str, ...] = (*PYTHON_ONLY, COUNTS_ONLY[0], *WITH_C, LINES[0], *OTHERS)
    if world:
        subjects = tuple(name for name in subjects if name.startswith(BESIDE))
    names = [workload(name, world, subjects) for name in workloads.NAMES]
    return (
        *names,
        Case("profilers: from start to file", written(world)),
        Case("samplers", samplers(world, SAMPLERS)),
    )
