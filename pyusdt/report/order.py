# SPDX-License-Identifier: Apache-2.0
"""By what functions are ordered: what can be asked for, what a recording knows, and what it is."""

from collections.abc import Iterable

from pyusdt.errors import UsageError
from pyusdt.recording import Function, Recording
from pyusdt.recording.charges import MEASURES, WAITS
from pyusdt.recording.memory import NOTHING
from pyusdt.report.readings import reading

MEASURED = {
    "self": "self_ns",
    "wall": "self_ns",
    "total": "total_ns",
    "calls": "calls",
    "errors": "errors",
    "p50": "p50_ns",
    "p99": "p99_ns",
    "name": "name",
}
"""What every recording knows, with the field of Function."""

CHARGED = {name: name if name in WAITS else f"{name}_ns" for name in MEASURES}
"""What is known where a sampler ran."""

MEMORY = {
    "peak": "peak_bytes",
    "allocated": "allocated_bytes",
    "live": "live_bytes",
    "temporary": "temporary_bytes",
    "blocks": "allocated_blocks",
    "biggest": "biggest",
}
"""What is known where memory was recorded, with the field of MemoryFigures."""

SORTS = {**CHARGED, "native": "native_ns", **MEASURED, **MEMORY}

_FIELDS_OF_MEMORY = frozenset(MEMORY.values())

_IDLE = ("lock", "sleep", "poll", "child")
_WANTING = ("gil", "runnable")
_MOST_OF_IT = 0.9
_FEWEST_LOOKS = 10


def chosen(recording: Recording, name: str | None) -> str | None:
    """The field, or class of wait, that `name` (of SORTS) stands for; None, the default order,
    without one. Raises UsageError for what the recording has not."""
    if name is None:
        return None
    if name in CHARGED and "cpu" not in recording.known:
        raise UsageError(_absent(name, "CPU and waits were not recorded", MEASURED))
    if name in MEMORY and "memory" not in recording.known:
        there = {**CHARGED, **MEASURED} if "cpu" in recording.known else MEASURED
        raise UsageError(_absent(name, "memory was not recorded (record with --memory)", there))
    if name == "native" and name not in recording.known:
        there = {**CHARGED, **MEASURED} if "cpu" in recording.known else MEASURED
        raise UsageError(_absent(name, "C calls were not recorded (record with --c-calls)", there))
    return SORTS[name]


def _absent(name: str, why: str, there: Iterable[str]) -> str:
    return f"report: --sort {name}: {why}; there are {', '.join(there)}"


def default(recording: Recording) -> str:
    """What counts in a report that was asked for no order."""
    return "cpu_ns" if "cpu" in recording.known else "self_ns"


def ordered(recording: Recording, sort: str | None) -> list[Function]:
    """All functions, the largest first, or by `name` in order; those that are equal by their own
    wall time. In the default order, what idles comes last, whatever CPU time that takes."""
    functions = recording.functions
    if sort == "name":
        return sorted(functions, key=lambda f: f.record)
    key = sort or default(recording)
    by_key = sorted(functions, key=lambda f: -value(f, key))
    if sort is not None or key != "cpu_ns":
        return by_key
    return [f for f in by_key if not idles(f)] + idle(recording)


def idle(recording: Recording) -> list[Function]:
    """The functions that idle, the longest first."""
    return sorted(filter(idles, recording.functions), key=lambda f: -value(f, "wait"))


def idles(function: Function) -> bool:
    """Whether it has been seen to do little but to wait until there is something to do: a loop in
    its poll, a worker at its queue. That it also wanted the GIL or a CPU then does not matter."""
    charges = function.charges
    if not charges or charges.looks("cpu") + charges.looks("wait") < _FEWEST_LOOKS:
        return False
    time = charges.ns - sum(map(charges.of, _WANTING))
    return sum(map(charges.of, _IDLE)) > _MOST_OF_IT * time


def value(function: Function, key: str) -> int:
    """That figure of a function; 0 where it is not known."""
    if key in _FIELDS_OF_MEMORY:
        figure: int = getattr(function.memory or NOTHING, key)
        return figure
    measure = key.removesuffix("_ns")
    if measure in MEASURES:
        return reading(function, measure).ns or 0
    return getattr(function, key) or 0
