# SPDX-License-Identifier: Apache-2.0
"""The table of functions: where a sampler ran by their CPU time, with their waits, else by their
wall time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from pyusdt.recording import Function, Recording
from pyusdt.recording.charges import MEASURES, WAITS, Charges, total
from pyusdt.report.bars import kinds_of, made_of, share_bar
from pyusdt.report.cells import BESIDE, Names
from pyusdt.report.columns import Cell, Column, table
from pyusdt.report.order import value
from pyusdt.report.readings import Reading, reading, waits_of
from pyusdt.report.text import duration, number, share


@dataclass(frozen=True, slots=True)
class _Figure:
    """A column. The higher its rank, the sooner it is left out. `key` is what it is sorted by."""

    heading: str
    rank: float
    cell: Callable[[Function], Cell]
    key: str = ""
    left: bool = False
    optional: bool = False
    """Left out where all its cells are empty."""

    def column(self, sort: str) -> Column:
        """As tables have it; what they are sorted by always stays."""
        return Column(self.heading, 0 if self.key and self.key == sort else self.rank, self.left)


def functions_table(
    recording: Recording, functions: Sequence[Function], sort: str, width: int
) -> Table:
    """The table of `functions`, which are sorted by `sort` (see order.py)."""
    charged = "cpu" in recording.known
    figures = [*(_charged(recording, sort) if charged else _measured(recording))]
    figures += _calls(recording)
    shown = [it for it in figures if not it.optional or any(map(it.cell, functions))]
    names = Names(recording)
    rows = [(tuple(it.cell(f) for it in shown), names.of(f.index)) for f in functions]
    return table([it.column(sort) for it in shown], rows, "function", width, BESIDE)


def kinds_shown(recording: Recording, functions: Iterable[Function]) -> set[str]:
    """The kinds of time in the bars of these functions."""
    if "cpu" not in recording.known:
        return set()
    return {kind for f in functions for kind in kinds_of(f.cpu_ns or 0, waits_of(f))}


def _measured(recording: Recording) -> Iterable[_Figure]:
    """Columns of wall times alone."""
    whole = recording.self_ns
    yield _Figure("self", 1, lambda f: duration(f.self_ns), "self_ns")
    yield _Figure("share", 8, lambda f: share(f.self_ns, whole))
    yield _Figure("", 12, lambda f: share_bar(f.self_ns, whole), left=True)
    yield from _native(recording, 7.5)
    yield _Figure("total", 2, lambda f: duration(f.total_ns), "total_ns")


def _charged(recording: Recording, sort: str) -> Iterable[_Figure]:
    """CPU and waits first."""
    exact = recording.times == "exact"

    def figure(heading: str, rank: float, measure: str, key: str) -> _Figure:
        return _Figure(heading, rank, lambda f: str(reading(f, measure)), key)

    yield figure("cpu", 1, "cpu", "cpu_ns")
    yield _share(recording, sort)
    yield _Figure("", 4, lambda f: made_of(f.cpu_ns or 0, waits_of(f)), left=True)
    yield figure("wait", 2, "wait", "wait_ns")
    kind = sort.removesuffix("_ns")
    if kind in ("user", "system", *WAITS):
        yield figure(kind, 0, kind, sort)
    yield from _native(recording, 5.5)
    yield _Figure("self", 3.5, lambda f: str(_own(f, exact)), "self_ns")
    yield _Figure("total", 5, lambda f: str(_with_callees(f, exact)), "total_ns")


def _native(recording: Recording, rank: float) -> Iterable[_Figure]:
    """Time in C functions, where these were recorded: never 0 for what is not known."""
    if "native" not in recording.known:
        return
    a_look = 0.0
    if recording.times != "exact":
        charges = total(thread.charges for thread in recording.threads)
        a_look = charges.ns / (_looks(charges) or 1)

    def cell(f: Function) -> str:
        ns = f.native_ns
        return str(Reading(ns, round(ns / a_look) if ns is not None and a_look else None))

    yield _Figure("native", rank, cell, "native_ns")


def _calls(recording: Recording) -> Iterable[_Figure]:
    """What is counted, and percentiles, of which sampled times have none."""
    exact = recording.times == "exact"
    yield _Figure("calls", 3, lambda f: number(f.calls), "calls")
    yield _Figure("resumes", 10, lambda f: number(f.resumes or None), optional=True)
    yield _Figure("p50", 7, lambda f: duration(f.p50_ns), "p50_ns", optional=not exact)
    yield _Figure("p99", 6, lambda f: duration(f.p99_ns), "p99_ns", optional=not exact)
    yield _Figure("latency p50", 8.5, lambda f: duration(f.latency(0.5)), optional=True)
    yield _Figure("latency p99", 8, lambda f: duration(f.latency(0.99)), optional=True)
    yield _Figure("errors", 9, lambda f: Text(number(f.errors or None), "red"), "errors")


def _share(recording: Recording, sort: str) -> _Figure:
    """The part of the whole of what the table is sorted by, or of the CPU time."""
    exact = recording.times == "exact"
    by = sort.removesuffix("_ns")
    if by == "self":
        return _Figure("of self", 8, lambda f: _own(f, exact).of(recording.self_ns))
    by = by if by in MEASURES else "cpu"
    charged = sum(thread.charges.of(by) for thread in recording.threads if thread.charges)
    whole = max(charged, sum(value(f, by) for f in recording.functions))
    return _Figure(f"of {by}", 8, lambda f: reading(f, by).of(whole))


def _own(f: Function, exact: bool) -> Reading:
    return Reading(f.self_ns, None if exact else _looks(f.charges))


def _with_callees(f: Function, exact: bool) -> Reading:
    return Reading(f.total_ns, None if exact else _looks(f.total_charges))


def _looks(charges: Charges | None) -> int | None:
    """On how many a time rests; None where no sampler ran, so that it was measured."""
    return None if charges is None else charges.looks("cpu") + charges.looks("wait")
