# SPDX-License-Identifier: Apache-2.0
"""Two sets of recordings, before and after: what changed, and whether that is more than noise."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from math import sqrt

from pyusdt.recording import Function, Recording
from pyusdt.recording.charges import NONE
from pyusdt.report.readings import Reading, sampled
from pyusdt.waiting import waited, waiting

_Name = tuple[str, str]  # module, qualname

# Student's t for 99 % (two-sided) by degrees of freedom 1, 2, ... 10.
_T99 = (63.66, 9.92, 5.84, 4.60, 4.03, 3.71, 3.50, 3.36, 3.25, 3.17)


def _t99(freedom: float) -> float:
    place = max(int(freedom + 1e-9), 1)
    return _T99[place - 1] if place <= len(_T99) else 2.576 + 6 / place  # within 0.03


@dataclass(frozen=True, slots=True)
class Change:
    """One figure, measured `before` and `after`, once or several times. A missing side is gone or
    new. Times are ns. `looks` are those of a sampler on which the sides rest; None: it was measured
    exactly."""

    before: tuple[float, ...]
    after: tuple[float, ...]
    looks: tuple[int, int] | None = None

    @property
    def mean_before(self) -> float:
        return statistics.fmean(self.before) if self.before else 0.0

    @property
    def mean_after(self) -> float:
        return statistics.fmean(self.after) if self.after else 0.0

    @property
    def delta(self) -> float:
        """After minus before."""
        return self.mean_after - self.mean_before

    @property
    def ratio(self) -> float | None:
        """The growth as a part of what was: 0.1 is 10 % more. None from nothing."""
        return self.delta / self.mean_before if self.mean_before else None

    @property
    def delta_looks(self) -> int | None:
        """As many looks as would make the delta as uncertain as it is; None: it is exact."""
        if self.looks is None:
            return None
        sides = zip((self.mean_before, self.mean_after), self.looks, strict=True)
        variance = sum(mean**2 / looks for mean, looks in sides if looks)
        return int(self.delta**2 / variance) if variance else 0

    @property
    def noise(self) -> float | None:
        """How large a change may be by chance (Welch, 99 %); None where a side has one value."""
        if len(self.before) < 2 or len(self.after) < 2:
            return None
        a = statistics.variance(self.before) / len(self.before)
        b = statistics.variance(self.after) / len(self.after)
        if a + b == 0:
            return 0.0
        part = a / (a + b)
        freedom = 1 / (part**2 / (len(self.before) - 1) + (1 - part) ** 2 / (len(self.after) - 1))
        return _t99(freedom) * sqrt(a + b)

    @property
    def verdict(self) -> int | None:
        """1 more, -1 less, 0 no change beyond the noise; None where that is not known."""
        noise = self.noise
        if noise is None:
            return None
        return (self.delta > noise) - (self.delta < -noise)

    def grew(self, limit: float) -> bool:
        """More than `limit` (a part of what was), and more than noise where that is known. What is
        sampled must be beyond three standard errors."""
        seen = self.delta_looks is None or self.delta_looks >= 9
        return self.ratio is not None and self.ratio > limit and self.verdict != 0 and seen

    def per(self, calls: "Change") -> "Change":
        """This for each of `calls`, in the runs that have any."""
        sides = (self.before, calls.before), (self.after, calls.after)
        before, after = (tuple(a / n for a, n in zip(*side, strict=True) if n) for side in sides)
        return Change(before, after, self.looks)


@dataclass(slots=True)
class FunctionChange:
    """A function on both sides, by module and qualname: files and lines move.

    `waits`: its own time is no work, see waiting.py; `working_ns` is the total without such time.
    Where all recordings know them, `cpu_ns`, `total_cpu_ns` and `wait_ns` are CPU time and waits,
    and CPU time is judged; else None.
    """

    module: str
    qualname: str
    self_ns: Change
    total_ns: Change
    working_ns: Change
    calls: Change
    waits: bool = False
    cpu_ns: Change | None = None
    total_cpu_ns: Change | None = None
    wait_ns: Change | None = None

    @property
    def own(self) -> Change:
        """What is judged of its own time."""
        return self.self_ns if self.cpu_ns is None else self.cpu_ns

    @property
    def waited(self) -> Change:
        """What of its own time is no work."""
        return self.self_ns if self.wait_ns is None else self.wait_ns

    @property
    def whole(self) -> Change:
        """What is judged of its time with callees."""
        return self.working_ns if self.total_cpu_ns is None else self.total_cpu_ns

    @property
    def state(self) -> str:
        """`new`, `gone`, or nothing. What runs all the time has no call."""
        if not any((*self.calls.before, *self.total_ns.before)):
            return "new"
        return "" if any((*self.calls.after, *self.total_ns.after)) else "gone"


@dataclass(slots=True)
class StepChange:
    """A step or mark on both sides. Several runs a side are compared by their means, one run a
    side by its iterations."""

    name: str
    kind: str
    mean: Change
    count: Change


@dataclass(slots=True)
class Comparison:
    """All changes. Where all recordings know CPU times (`by_cpu`), `whole` is that of all functions
    and `waits` what they waited; else `whole` is the own time of all functions but those that wait,
    and `waits` theirs."""

    whole: Change
    waits: Change
    by_cpu: bool = False
    functions: list[FunctionChange] = field(default_factory=list)
    steps: list[StepChange] = field(default_factory=list)

    @property
    def judged(self) -> bool:
        """Whether there are runs enough: one a side shows no noise."""
        return min(len(self.whole.before), len(self.whole.after)) > 1


@dataclass(frozen=True, slots=True)
class _Run:
    """A recording as it is compared: functions by name, and what of their totals is waiting."""

    functions: dict[_Name, list[Function]]
    waited: Counter[int]

    def sum(self, name: _Name, figure: Callable[[Function], int]) -> float:
        return float(sum(map(figure, self.functions.get(name, ()))))

    def working_ns(self, function: Function) -> int:
        return max(function.total_ns - self.waited[function.index], 0)


def compare(before: Sequence[Recording], after: Sequence[Recording]) -> Comparison:
    """The changes from `before` to `after`, one or more runs each."""
    by_cpu = all(_knows_cpu(recording) for recording in (*before, *after))
    functions = _functions(before, after, by_cpu)

    def whole(changes: Iterable[Change]) -> Change:
        chosen = [*changes]
        befores = zip(*(change.before for change in chosen), strict=True)
        afters = zip(*(change.after for change in chosen), strict=True)
        sums = tuple(map(sum, befores)), tuple(map(sum, afters))
        return Change(sums[0] or (0.0,) * len(before), sums[1] or (0.0,) * len(after))

    work = whole(f.own for f in functions if not f.waits)
    waits = whole(f.waited for f in functions if by_cpu or f.waits)
    return Comparison(work, waits, by_cpu, functions, _steps(before, after))


def _knows_cpu(recording: Recording) -> bool:
    known = all(function.charges is not None for function in recording.functions)
    return known and "cpu" in recording.known


def regressions(
    comparison: Comparison,
    limit: float,
    least_share: float = 0.01,
    *,
    force: bool = False,
    lines: Iterable[tuple[str, str, Change]] = (),
) -> list[tuple[str, str, Change]]:
    """(name, figure, change) of what grew by more than `limit`: the whole, functions and those
    `lines` whose growth is `least_share` of the whole or more, and steps. New functions count in
    the whole alone, and waiting nowhere. Where a side has one run nothing is judged, unless with
    `force`."""
    if not comparison.judged and not force:
        return []
    least = least_share * comparison.whole.mean_before
    found = [("all functions", "cpu" if comparison.by_cpu else "self", comparison.whole)]
    for f in comparison.functions:
        name = f"{f.module}:{f.qualname}"
        own = [] if f.waits else [("cpu" if comparison.by_cpu else "self", f.own)]
        total = "total cpu" if comparison.by_cpu else "total"
        if f.whole is f.working_ns and f.working_ns != f.total_ns:
            total = "total without waits"
        found += [
            (name, figure, change)
            for figure, change in [*own, (total, f.whole)]
            if change.delta >= least
        ]
    found += [line for line in lines if line[2].delta >= least]
    found += [(step.name, "step", step.mean) for step in comparison.steps if step.kind == "step"]
    return [entry for entry in found if entry[2].grew(limit)]


def _functions(
    before: Sequence[Recording], after: Sequence[Recording], by_cpu: bool
) -> list[FunctionChange]:
    sides: list[list[_Run]] = []
    waits: set[_Name] = set()
    for side in (before, after):
        sides.append([])
        for recording in side:
            functions = set() if by_cpu else waiting(recording)
            waits |= {recording.records[index][:2] for index in functions}
            run = _Run(_by_name(recording.functions), waited(recording, functions))
            sides[-1].append(run)
    names = {name for side in sides for run in side for name in run.functions}

    def change(name: _Name, figure: Callable[[Function], int]) -> Change:
        values = [tuple(run.sum(name, figure) for run in side) for side in sides]
        return Change(values[0], values[1])

    def working(name: _Name) -> Change:
        values = [tuple(run.sum(name, run.working_ns) for run in side) for side in sides]
        return Change(values[0], values[1])

    def charged(name: _Name, measure: str, *, with_callees: bool = False) -> Change | None:
        if not by_cpu:
            return None

        def of(f: Function) -> Reading:
            if with_callees:
                return sampled(f.total_charges or NONE, measure, f.total_ns)
            return sampled(f.charges or NONE, measure, f.self_ns)

        found = change(name, lambda f: of(f).ns or 0)
        looks = change(name, lambda f: of(f).looks or 0)
        return replace(found, looks=(int(sum(looks.before)), int(sum(looks.after))))

    return [
        FunctionChange(
            *name,
            self_ns=change(name, lambda f: f.self_ns),
            total_ns=change(name, lambda f: f.total_ns),
            working_ns=working(name),
            calls=change(name, lambda f: f.calls),
            waits=name in waits,
            cpu_ns=charged(name, "cpu"),
            total_cpu_ns=charged(name, "cpu", with_callees=True),
            wait_ns=charged(name, "wait"),
        )
        for name in sorted(names)
    ]


def _by_name(functions: Iterable[Function]) -> dict[_Name, list[Function]]:
    """Functions of one name (lambdas, redefinitions) are taken together."""
    names: dict[_Name, list[Function]] = defaultdict(list)
    for function in functions:
        names[function.record.module, function.record.qualname].append(function)
    return names


def _steps(before: Sequence[Recording], after: Sequence[Recording]) -> list[StepChange]:
    sides = [
        [{(s.kind, s.name): s.numbers for s in recording.steps} for recording in side]
        for side in (before, after)
    ]
    names = {name: None for side in sides for run in side for name in run}
    changes = []
    for kind, name in names:
        runs = [[run[kind, name] for run in side if run.get((kind, name))] for side in sides]
        if not any(runs):
            continue  # marks without a number
        several = all(len(side) > 1 for side in sides)
        means = [
            tuple(statistics.fmean(run) for run in side) if several else tuple(chain(*side))
            for side in runs
        ]
        counts = [tuple(float(len(run)) for run in side) for side in runs]
        mean, count = Change(means[0], means[1]), Change(counts[0], counts[1])
        changes.append(StepChange(name, kind, mean, count))
    return changes
