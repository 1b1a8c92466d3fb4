# SPDX-License-Identifier: Apache-2.0
"""What the sampler has charged: CPU time, and waits by what they are for."""

from collections.abc import Iterable
from typing import NamedTuple, Self

CPU = ("user", "system")
WAITS = ("gil", "lock", "sleep", "poll", "net", "disk", "child", "runnable", "other")
KINDS = (*CPU, *WAITS)
"""In the order of PYUSDT_CHARGE_* (include/pyusdt_counts.h)."""
MEASURES = ("cpu", *CPU, "wait", *WAITS)
"""What may be asked for: `cpu` and `wait` are sums."""

_ORDER = {kind: number for number, kind in enumerate(KINDS)}
_PARTS = {kind: (kind,) for kind in KINDS} | {"cpu": CPU, "wait": WAITS}


class ChargeRow(NamedTuple):
    """What was charged to a context, of one kind."""

    thread: int
    node: int
    """-1: only the function is known, or the thread: its context was given up."""
    function: int
    """-1: the thread itself, outside of all functions."""
    kind: str
    syscall: int
    """The number of the system call of kind "other", else 0."""
    samples: int
    ns: int
    line: int = 0
    """Of the function, where its lines are recorded; 0: not known."""

    @property
    def figures(self) -> tuple[str, int, int, int]:
        """Kind, system call, samples and ns: a row of `Charges`."""
        return self[3:7]


class Charges:
    """Nanoseconds by kind, each with the looks that it rests on. It never changes."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Iterable[tuple[str, int, int, int]] = ()) -> None:
        """`rows` have kind, system call, samples and ns; those of one kind and call are summed."""
        sums: dict[tuple[str, int], tuple[int, int]] = {}
        for kind, syscall, samples, ns in rows:
            known = sums.get((kind, syscall), (0, 0))
            sums[kind, syscall] = known[0] + samples, known[1] + ns
        ordered = sorted(sums, key=lambda key: (_ORDER[key[0]], key[1]))
        self._rows = tuple((*key, *sums[key]) for key in ordered)

    @property
    def rows(self) -> tuple[tuple[str, int, int, int], ...]:
        """Kind, system call, samples and ns, in the order of KINDS."""
        return self._rows

    @property
    def user_ns(self) -> int:
        return self.of("user")

    @property
    def system_ns(self) -> int:
        return self.of("system")

    @property
    def cpu_ns(self) -> int:
        return self.of("cpu")

    @property
    def wait_ns(self) -> int:
        return self.of("wait")

    @property
    def ns(self) -> int:
        """All of it: CPU and waits."""
        return sum(row[3] for row in self._rows)

    @property
    def waits(self) -> dict[str, int]:
        """Nanoseconds by class of wait, in the order of WAITS; classes without any are left out."""
        sums: dict[str, int] = {}
        for kind, _, _, ns in self._rows:
            if kind not in CPU:
                sums[kind] = sums.get(kind, 0) + ns
        return sums

    @property
    def others(self) -> dict[int, int]:
        """Nanoseconds of the kind "other" by the number of the system call."""
        return {syscall: ns for kind, syscall, _, ns in self._rows if kind == "other"}

    @property
    def samples(self) -> dict[str, int]:
        """The looks by kind, and those of "cpu"."""
        sums: dict[str, int] = {}
        for kind, _, samples, _ in self._rows:
            sums[kind] = sums.get(kind, 0) + samples
        if any(kind in sums for kind in CPU):
            sums = {"cpu": self.looks("cpu"), **sums}
        return sums

    def of(self, measure: str) -> int:
        """Nanoseconds of one of MEASURES."""
        parts = _PARTS[measure]
        return sum(row[3] for row in self._rows if row[0] in parts)

    def looks(self, measure: str) -> int:
        """The samples on which `of(measure)` rests."""
        parts = _PARTS[measure]
        return sum(row[2] for row in self._rows if row[0] in parts)

    def __add__(self, other: Self) -> "Charges":
        return Charges((*self._rows, *other.rows))

    def __sub__(self, other: Self) -> "Charges":
        """What is here beyond `other`; never below zero."""
        taken = {row[:2]: row[2:] for row in other.rows}
        rows = []
        for kind, syscall, samples, ns in self._rows:
            without = taken.get((kind, syscall), (0, 0))
            left = max(samples - without[0], 0), max(ns - without[1], 0)
            if any(left):
                rows.append((kind, syscall, *left))
        return Charges(rows)

    def __bool__(self) -> bool:
        return bool(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Charges) and self._rows == other.rows

    def __hash__(self) -> int:
        return hash(self._rows)

    def __repr__(self) -> str:
        return f"Charges({self._rows!r})"


NONE = Charges()


def total(charges: Iterable[Charges | None]) -> Charges:
    """The sum of them all."""
    return Charges(row for one in charges if one for row in one.rows)
