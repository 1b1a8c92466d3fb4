# SPDX-License-Identifier: Apache-2.0
"""What is measured, and what has to come out of it: the table that the bench runs through."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import idle
from bench.errors import UnavailableError
from bench.measure import Side, interleave
from bench.rows import Row, Target
from bench.stats import Sample
from bench.subjects import SUBJECTS, Load

FIB = Load("fib", 22, 60_000)
LINES = Load("lines", 7_500, 60_000)
MODULES = Load("modules", 500, 100_000)
CALLS = Load("calls", 60_000, 60_000)


@dataclass(frozen=True)
class Case:
    """One run: a name, and what measures it in so many rounds. It raises what errors.py has."""

    name: str
    measure: Callable[[int], list[Row]]
    traced: bool = False


@dataclass(frozen=True)
class Claim:
    """pyusdt's time over that of another subject, both traced; per unit of work of the load."""

    under: str
    figure: str
    target: Target | None = None
    alone: bool = False
    """Only what tracing adds: the time of the same load untraced is taken off first."""
    reason: str = ""
    """Why the target may be missed, and what was tried."""


def probes(unit: str, load: Load, names: tuple[str, ...], *claims: Claim) -> Case:
    """A case: `load` traced at these probes, once for pyusdt and once for each other subject."""
    case = " + ".join(names)
    untraced = Side("python", load)

    def traced(subject: str) -> Side:
        return Side(subject, load, "count", names)

    def row(claim: Claim, times: dict[Side, Sample]) -> Row:
        over = times[traced("pyusdt")]
        if claim.alone:
            over = less(over, times[untraced])
        under = times[traced(claim.under)]
        return Row(case, claim.figure, unit, over, claim.under, under, claim.target, claim.reason)

    def measure(rounds: int) -> list[Row]:
        missing = unavailable({claim.under for claim in claims}, load, names)
        subjects = ["pyusdt", *dict.fromkeys(claim.under for claim in claims)]
        sides = [traced(subject) for subject in subjects if subject not in missing]
        times = interleave([*sides, untraced], rounds)
        return [
            Row(case, claim.figure, unit, peer=claim.under, target=claim.target, note=why)
            if (why := missing.get(claim.under))
            else row(claim, times)
            for claim in claims
        ]

    return Case(case, measure, traced=True)


def less(traced: Sample, untraced: Sample) -> Sample:
    """Each round's time, less the least that the load takes without a tracer."""
    return Sample(tuple(value - untraced.minimum for value in traced.values))


def unavailable(subjects: set[str], load: Load, names: tuple[str, ...]) -> dict[str, str]:
    """Why those of `subjects` that cannot run here cannot."""
    found = {}
    for subject in subjects:
        try:
            SUBJECTS[subject].command(load, names)
        except UnavailableError as reason:
            found[subject] = str(reason)
    return found


def followed(rounds: int) -> list[Row]:
    """What it costs to follow the stack without a trap a call, on the worst case."""
    untraced = Side("python", FIB)
    slow = Side("pyusdt", FIB, "slow", ("function__slow",))
    slots = Side("pyusdt", FIB, "slots", ("thread__state",))
    traps = Side("pyusdt", FIB, "count", ("PY_START", "PY_RETURN"))
    times = interleave([slow, slots, traps, untraced], rounds)
    added, trapped = less(times[slots], times[untraced]), less(times[traps], times[untraced])
    unit = "ns per call"
    return [
        Row(
            "function__slow",
            "program / untraced",
            unit,
            times[slow],
            "untraced",
            times[untraced],
            Target(3.0),
            "the threshold is tested inside: no trap for a fast call",
        ),
        Row(
            "slots",
            "added / a trap at entry and exit",
            unit,
            added,
            "traps",
            trapped,
            Target(round(1 / 15, 3)),
            "six events are dispatched by CPython, two a call",
        ),
    ]


def filtered(rounds: int) -> list[Row]:
    """A program of 200 modules of which one is traced."""
    untraced = Side("python", MODULES)
    traced = Side("one of many", MODULES, "some", ("PY_START",))
    times = interleave([traced, untraced], rounds)
    note = "one call in 200 is told, by a trap; those of the other modules are disabled"
    return [
        Row(
            "one module of 200, PY_START",
            "program / untraced",
            "ns per call",
            times[traced],
            "untraced",
            times[untraced],
            Target(1.05),
            note,
        )
    ]


REASON = (
    "beside the trap there is CPython's dispatch of the event, and an interpreter, unlike a C "
    "loop, runs slower for a while after every return from the kernel; a callback that did "
    "nothing but fire the probe was within 0.01 of it"
)


def whole(target: float | None = None) -> Claim:
    limit = None if target is None else Target(target)
    reason = "the function itself is in it; " + REASON
    return Claim("floor", "program and event / floor", limit, reason=reason)


def event(target: float | None = None) -> Claim:
    limit = None if target is None else Target(target)
    return Claim("floor", "event alone / floor", limit, alone=True, reason=REASON)


def earlier(target: float) -> Claim:
    return Claim("earlier", "program and event / earlier", Target(target))


CASES = (
    probes("ns per call", FIB, ("PY_START",), whole(1.15), event(1.10), earlier(0.60)),
    probes("ns per call", FIB, ("PY_RETURN",), whole(), event(), earlier(0.60)),
    probes("ns per call", FIB, ("PY_START", "PY_RETURN"), whole(), event(), earlier(0.55)),
    probes("ns per line", LINES, ("LINE",), whole(), event(), earlier(0.60)),
    probes("ns per call", CALLS, ("CALL",), whole(), event(), earlier(0.60)),
    Case("followed", followed, traced=True),
    Case("filtered", filtered, traced=True),
    Case("idle: speed", idle.speed),
    Case("idle: instructions", idle.instructions),
    Case("idle: wake-ups", idle.wakeups),
    Case("idle: memory", idle.memory),
)
