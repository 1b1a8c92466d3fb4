# SPDX-License-Identifier: Apache-2.0
"""What was recorded of single lines."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from pyusdt.recording.build import DamageError
from pyusdt.recording.charges import NONE, ChargeRow, Charges
from pyusdt.recording.records import CodeRecord
from pyusdt.recording.snapshot import LineRow
from pyusdt.recording.source import Source


@dataclass(frozen=True, slots=True)
class LineFigures:
    """What is counted of a line of a function, over all threads of a process. Times are 0 where
    those of the recording are sampled: then there are `charges` alone."""

    hits: int
    """How often the line was about to run anew."""
    errors: int
    """Exceptions raised there, or by what it called."""
    total_ns: int
    """With all that it called; recursion counts once."""
    self_ns: int
    """Without the recorded functions that it called."""
    charges: Charges = NONE
    """Of the sampler."""

    def plus(self, other: Self) -> "LineFigures":
        return LineFigures(
            self.hits + other.hits,
            self.errors + other.errors,
            self.total_ns + other.total_ns,
            self.self_ns + other.self_ns,
            self.charges + other.charges if other.charges else self.charges,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a function, with its figures over all processes, as `LineFigures` has them."""

    record: CodeRecord
    line: int
    hits: int
    errors: int
    total_ns: int
    self_ns: int
    charges: Charges = NONE

    @property
    def cpu_ns(self) -> int:
        """0 too where no sampler ran, which `Recording.known` says."""
        return self.charges.cpu_ns


Lines = dict[tuple[int, int, int], LineFigures]
"""What `Recording.lines` holds: by process, record and line."""

_NOTHING = LineFigures(0, 0, 0, 0)


def lines_of(
    process: int, rows: Iterable[LineRow], charges: Iterable[ChargeRow], place: Mapping[int, int]
) -> Lines:
    """That of one process; `place` maps a function id to its index. Raise DamageError where a row
    names what is not there."""
    lines: Lines = {}
    for row in rows:
        if row.function not in place:
            raise DamageError(f"a line is of function {row.function}, which is not there")
        key = process, place[row.function], row.line
        figures = LineFigures(*row[3:])
        lines[key] = lines[key].plus(figures) if key in lines else figures
    charged: dict[tuple[int, int, int], list[tuple[str, int, int, int]]] = defaultdict(list)
    for charge in charges:
        if charge.line and charge.function in place:
            key = process, place[charge.function], charge.line
            charged[key].append(charge.figures)
    add_charges(lines, {key: Charges(some) for key, some in charged.items()})
    return lines


def add_charges(lines: Lines, charged: Mapping[tuple[int, int, int], Charges]) -> None:
    """Add what the sampler has charged to lines, also to those that are not there yet."""
    for key, charges in charged.items():
        lines[key] = lines.get(key, _NOTHING).plus(LineFigures(0, 0, 0, 0, charges))


def rows_of(
    records: list[CodeRecord], lines: Mapping[tuple[int, int, int], LineFigures]
) -> list[Line]:
    """The lines over all processes, by file and then by line."""
    sums: dict[tuple[int, int], LineFigures] = {}
    for (_, *place), figures in lines.items():
        key = place[0], place[1]
        sums[key] = sums[key].plus(figures) if key in sums else figures
    found = [
        Line(records[index], line, it.hits, it.errors, it.total_ns, it.self_ns, it.charges)
        for (index, line), it in sums.items()
    ]
    return sorted(found, key=lambda it: (it.record.file, it.line, it.record))


def source_of(sources: Mapping[tuple[int, str], Source], file: str) -> Source | None:
    """The one that all processes have that have any; None: they have none, or not the same."""
    found = {source for (_, of), source in sources.items() if of == file}
    return found.pop() if len(found) == 1 else None
