# SPDX-License-Identifier: Apache-2.0
"""Whether counts can be those of a program: they come from a process that may make up anything.

What passes here fits into a recording, and every name, context and function in it is known.
"""

from collections.abc import Collection, Iterable

from pyusdt.recording.counts import THREAD_ITSELF, Counts

_LARGEST = 1 << 62
"""Of sums: SQLite has numbers below 2**63."""
_RATES = 1e-6, 1e6
"""Nanoseconds a tick: clocks of machines are far from both."""


def require(counts: Counts, functions: Collection[int]) -> None:
    """Raise ValueError, with the reason, for counts that no program can have."""
    if not _RATES[0] < counts.ns_per_tick < _RATES[1]:
        raise ValueError(f"a clock of {counts.ns_per_tick} ns a tick")
    _require_sums(counts)
    _require_contexts(counts)
    used = {row.function for row in counts.nodes}
    used |= {row.function for row in counts.totals}
    used |= {row.function for row in counts.histograms}
    used |= {row.function for row in counts.lines}
    used |= {row.function for row in counts.charges} - {THREAD_ITSELF}
    used |= {row.function for row in counts.memory} - {THREAD_ITSELF}
    used |= {row.function for row in counts.living} - {THREAD_ITSELF}
    used |= {row.function for row in counts.growth} - {THREAD_ITSELF}
    if not used.issubset(functions):
        raise ValueError("a function that has no name")


def _require_sums(counts: Counts) -> None:
    rows: tuple[Iterable[tuple[int, ...]], ...] = (
        counts.nodes, counts.totals, counts.histograms, counts.lines,
    )  # fmt: skip
    times = counts.now + sum(thread.elapsed for thread in counts.threads)
    times += sum(sum(map(sum, section)) for section in rows)
    times += sum(step.start + (step.elapsed or 0) for step in counts.steps)
    if times * max(counts.ns_per_tick, 1.0) > _LARGEST or counts.now_ns > _LARGEST:
        raise ValueError("times or counts beyond any")
    if sum(row.ns + row.samples for row in counts.charges) > _LARGEST:
        raise ValueError("charges beyond any")
    if sum(sum(row[4:]) for row in counts.memory) > _LARGEST:
        raise ValueError("memory beyond any")
    if sum(row.bytes + row.blocks for row in counts.living) > _LARGEST:
        raise ValueError("living memory beyond any")
    if sum(row.bytes for row in counts.growth) > _LARGEST:
        raise ValueError("growth beyond any")
    if sum(row.bytes + row.iteration for row in counts.points) > _LARGEST:
        raise ValueError("points beyond any")
    if any(max(row[:4]) + (row[4] or 0) > _LARGEST for row in counts.step_memory.values()):
        raise ValueError("memory of steps beyond any")
    if any(row.since * max(counts.ns_per_tick, 1.0) > _LARGEST for row in counts.living):
        raise ValueError("times or counts beyond any")
    if any(max(row) > _LARGEST for row in counts.resident):
        raise ValueError("resident memory beyond any")
    if sum(counts.losses.values()) > _LARGEST:
        raise ValueError("losses beyond any")


def _require_contexts(counts: Counts) -> None:
    """A context comes after the one that it is in, so there is no circle."""
    known: set[tuple[int, int]] = set()
    for row in counts.nodes:
        if row.parent != -1 and (row.serial, row.parent) not in known:
            raise ValueError("a calling context in none that is known")
        if row.key in known:
            raise ValueError("a calling context twice")
        known.add(row.key)
