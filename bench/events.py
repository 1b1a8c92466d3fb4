# SPDX-License-Identifier: Apache-2.0
"""What an event of each probe costs, with the same bpftrace program."""

from dataclasses import dataclass

from bench.compare import FIB, Case, less, unavailable
from bench.measure import Side, interleave
from bench.rows import Row, Target
from bench.stats import Sample
from bench.subjects import Load

LINES = Load("lines", 7_500, 60_000)
CALLS = Load("calls", 60_000, 60_000)
C_CALLS = Load("c_calls", 40_000, 40_000)
C_RAISES = Load("c_raises", 30_000, 30_000)
YIELDS = Load("yields", 40_000, 40_000)
STOPS = Load("stops", 30_000, 30_000)
RAISES = Load("raises", 30_000, 30_000)
CAUGHT = Load("caught", 30_000, 30_000)
FINALLY = Load("finally", 15_000, 30_000)
THROWS = Load("throws", 30_000, 30_000)
MARKS = Load("marks", 60_000)
STEPS = Load("steps", 60_000)

REASON = (
    "beside the trap there is CPython's dispatch of the event, and an interpreter, unlike a C "
    "loop, runs slower for a while after every return from the kernel; a callback that did "
    "nothing but fire the probe was within 0.01 of it"
)


@dataclass(frozen=True)
class Claim:
    """pyusdt's time over that of another subject, both traced, for a unit of work of the load."""

    under: str
    figure: str
    target: Target | None = None
    alone: bool = False
    """Compare only what tracing adds: first subtract the time of the untraced load."""
    reason: str = ""
    """Why the target may be missed."""


def whole(target: float | None = None) -> Claim:
    limit = None if target is None else Target(target)
    reason = "the function itself is in it; " + REASON
    return Claim("floor", "program and event / floor", limit, reason=reason)


def event(target: float | None = None) -> Claim:
    limit = None if target is None else Target(target)
    return Claim("floor", "event alone / floor", limit, alone=True, reason=REASON)


def earlier(target: float | None = None) -> Claim:
    limit = None if target is None else Target(target)
    return Claim("earlier", "program and event / earlier", limit)


def probes(unit: str, load: Load, names: tuple[str, ...], *claims: Claim) -> Case:
    """A case: `load` traced at these probes, for pyusdt and for each other subject."""
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


def function_done(rounds: int) -> list[Row]:
    """The latency of a function: timed inside with one trap a call, against two traps and a map."""
    done = Side("pyusdt", FIB, "latency", ("function__done",))
    both = Side("pyusdt", FIB, "count", ("PY_START", "PY_RETURN"))
    times = interleave([done, both, Side("python", FIB)], rounds)
    figure = "hist() by function / count() at entry and return"
    return [
        Row("function__done", figure, "ns per call", times[done], "both", times[both]),
    ]


def named(rounds: int) -> list[Row]:
    """Marks and steps, without a reader and with a tracer."""
    rows = []
    for case, load, probe in (("mark", MARKS, "mark"), ("step", STEPS, "step__done")):
        untraced, counted = Side("pyusdt", load), Side("pyusdt", load, "count", (probe,))
        times = interleave([untraced, counted], rounds)
        unit = f"ns per {case}"
        rows.append(Row(case, "nobody listens", unit, times[untraced]))
        rows.append(Row(case, "counted by a tracer", unit, times[counted]))
    return rows


def cpython(rounds: int) -> list[Row]:
    """pyusdt against the probes of CPython 3.15 itself, with the same programs."""
    case, unit = "CPython's own probes", "ns per call"
    modules = Load("modules 200", 200)
    entry, both = ("function__entry",), ("function__entry", "function__return")
    start, done = ("PY_START",), ("function__done",)
    sides = {
        "entry": Side("cpython", FIB, "count", entry),
        "start": Side("pyusdt", FIB, "count", start),
        "both": Side("cpython", FIB, "latency of cpython", both),
        "done": Side("pyusdt", FIB, "latency", done),
        "all": Side("cpython", modules, "count", entry),
        "one": Side("one of many", modules, "some", start),
        "fib": Side("python", FIB),
        "modules": Side("python", modules),
    }
    times = interleave(list(sides.values()), rounds)
    found = {name: times[side] for name, side in sides.items()}
    all_added, one_added = (less(found[name], found["modules"]) for name in ("all", "one"))
    return [
        Row(case, figure, unit, over, "cpython", under, Target(limit), note)
        for figure, over, under, limit, note in (
            ("PY_START / function__entry", found["start"], found["entry"], 1.05, REASON),
            (
                "a latency: function__done / entry and return",
                *(found["done"], found["both"], 0.60),
                "one probe, timed inside, against two and two maps",
            ),
            (
                "one module of 200, added / every entry, added",
                *(one_added, all_added, 0.10),
                "CPython's probes take no filter",
            ),
        )
    ]


def value_texts(rounds: int) -> list[Row]:
    """PY_RETURN of values of all sizes: only the reported part of a value is made into text."""
    unit, case = "ns per call", "value text, PY_RETURN"
    load = {
        name: Load(name, 3_000)
        for name in ("int 1", "list 10", "list 1000000", "text 10000000", "nested 1000")
    }
    side = {name: Side("pyusdt", load[name], "count", ("PY_RETURN",)) for name in load}
    other = Side("earlier", load["list 10"], "count", ("PY_RETURN",))
    lost: dict[Side, str] = {}
    times = interleave([*side.values(), other], rounds, lost)
    rows = [
        Row(case, f"{name} / int", unit, times[side[name]], "int", times[side["int 1"]])
        for name in list(load)[1:]
        if side[name] in times and side["int 1"] in times
    ]
    figure = "list of 10 / earlier"
    if other in lost:
        return [*rows, Row(case, figure, unit, peer="earlier", note=lost[other])]
    return [*rows, Row(case, figure, unit, times[side["list 10"]], "earlier", times[other])]


CASES = (
    probes("ns per call", FIB, ("PY_START",), whole(1.10), event(1.10), earlier(0.60)),
    probes("ns per call", FIB, ("PY_RETURN",), whole(), event(), earlier(0.60)),
    probes("ns per call", FIB, ("PY_START", "PY_RETURN"), whole(), event(), earlier(0.55)),
    probes("ns per line", LINES, ("LINE",), whole(), event(), earlier(0.60)),
    probes("ns per call", CALLS, ("CALL",), whole(), event(), earlier(0.60)),
    probes("ns per call", C_CALLS, ("C_RETURN",), whole(), event()),
    probes("ns per call", C_RAISES, ("C_RAISE",), whole(), event()),
    probes("ns per value", YIELDS, ("PY_YIELD",), whole(), event(), earlier()),
    probes("ns per value", YIELDS, ("PY_RESUME",), whole(), event(), earlier()),
    probes("ns per generator", STOPS, ("STOP_ITERATION",), whole(), event()),
    probes("ns per exception", RAISES, ("PY_UNWIND",), whole(), event()),
    probes("ns per exception", CAUGHT, ("RAISE",), whole(), event()),
    probes("ns per exception", CAUGHT, ("EXCEPTION_HANDLED",), whole(), event()),
    probes("ns per event", FINALLY, ("RERAISE",), whole(), event()),
    probes("ns per exception", THROWS, ("PY_THROW",), whole(), event()),
    Case("function__done", function_done, traced=True),
    Case("mark, step", named, traced=True),
    Case("value text", value_texts, traced=True),
)
CPYTHON = Case("CPython's own probes", cpython, traced=True)
