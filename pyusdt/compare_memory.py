# SPDX-License-Identifier: Apache-2.0
"""What functions have allocated, before and after.

A run's figures are exact, so one run a side is enough to judge them. Estimates from samples are
judged as all that is sampled: beyond their own uncertainty, and that of several runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyusdt.compare import Change
from pyusdt.errors import UserError
from pyusdt.memory import is_sampled
from pyusdt.recording import Recording
from pyusdt.recording.held import NATIVE, OUTSIDE
from pyusdt.recording.memory import NOTHING, MemoryFigures
from pyusdt.report.amounts import ELSEWHERE, figure_of, looks
from pyusdt.report.memory import require
from pyusdt.report.text import printable

FIGURES = ("peak", "allocated", "live", "blocks")
"""What is compared, by the names of order.MEMORY."""
_JUDGED = {"peak": "at peak", "allocated": "allocated"}

_Name = tuple[str, str]  # module, qualname
_Run = Mapping[_Name, MemoryFigures]


class CountedChange(Change):
    """One figure that was counted in each run, once or several times."""

    @property
    def verdict(self) -> int | None:
        """As Change has it; what one run a side has is no noise."""
        if self.noise is not None:
            return super().verdict
        return (self.delta > 0) - (self.delta < 0)


@dataclass(frozen=True)
class MemoryChange:
    """What a function has allocated on both sides, by module and qualname. `figures` are bytes (and
    blocks) by the names of FIGURES."""

    module: str
    qualname: str
    figures: Mapping[str, Change]

    @property
    def name(self) -> str:
        return f"{self.module}:{self.qualname}" if self.module else self.qualname

    @property
    def state(self) -> str:
        """`new`, `gone`, or nothing: what no sample met may be there."""
        blocks = self.figures["blocks"]
        if blocks.looks is not None:
            return ""
        if not any(blocks.before):
            return "new"
        return "" if any(blocks.after) else "gone"


@dataclass(frozen=True)
class MemoryComparison:
    """All changes; `whole` is that of all functions and of what is outside of them. Peaks are those
    of each process, summed up."""

    whole: MemoryChange
    functions: list[MemoryChange]
    sampled: bool
    judged: bool
    """Whether there are runs enough: of estimates, two a side."""


def has_memory(recordings: Sequence[Recording]) -> bool:
    """Whether all have memory that can be compared."""
    return all("memory" in it.known for it in recordings) and len(_kinds(recordings)) == 1


def compare_memory(before: Sequence[Recording], after: Sequence[Recording]) -> MemoryComparison:
    """The changes from `before` to `after`, one or more runs each. Raises UserError where they have
    none, or not the same."""
    recordings = [*before, *after]
    for recording in recordings:
        require(recording)
    kinds = _kinds(recordings)
    if len(kinds) > 1:
        of = " and ".join(sorted(printable(kind, 40) for kind in kinds))
        raise UserError(f"compare: not the same memory was recorded: --memory of {of}")
    sampled = any(map(is_sampled, kinds))
    sides = [[_by_name(recording) for recording in side] for side in (before, after)]
    names = {name: None for side in sides for run in side for name in run}
    wholes = [[reduce(MemoryFigures.plus, run.values(), NOTHING) for run in side] for side in sides]
    functions = [
        _change(name, [[run.get(name, NOTHING) for run in side] for side in sides], sampled)
        for name in names
    ]
    enough = min(len(before), len(after)) > 1
    whole = _change(("", "all functions"), wholes, sampled)
    return MemoryComparison(whole, functions, sampled, enough or not sampled)


def memory_regressions(
    comparison: MemoryComparison, limit: float, least_share: float = 0.01, *, force: bool = False
) -> list[tuple[str, str, Change]]:
    """As compare.regressions(): (name, figure, change) of what grew by more than `limit`, the whole
    and functions whose growth is `least_share` of it or more."""
    if not comparison.judged and not force:
        return []
    return [entry for entry in _candidates(comparison, least_share) if entry[2].grew(limit)]


def _candidates(
    comparison: MemoryComparison, least_share: float
) -> Iterator[tuple[str, str, Change]]:
    for figure, words in _JUDGED.items():
        whole = comparison.whole.figures[figure]
        yield comparison.whole.name, f"memory {words}", whole
        for function in comparison.functions:
            change = function.figures[figure]
            if change.delta >= least_share * whole.mean_before:
                yield function.name, f"memory {words}", change


def _kinds(recordings: Sequence[Recording]) -> set[str]:
    return {process.memory for it in recordings for process in it.processes if process.memory}


def _by_name(recording: Recording) -> dict[_Name, MemoryFigures]:
    """Functions of one name are taken together."""
    found: dict[_Name, MemoryFigures] = {}
    for index, figures in recording.memory_by_function.items():
        if index in (OUTSIDE, NATIVE):
            name = "", ELSEWHERE[index]
        else:
            name = recording.records[index][:2]
        found[name] = found[name].plus(figures) if name in found else figures
    return found


def _change(name: _Name, sides: Sequence[Sequence[MemoryFigures]], sampled: bool) -> MemoryChange:
    figures: dict[str, Change] = {}
    for figure in FIGURES:
        before, after = (tuple(float(figure_of(it, figure)) for it in side) for side in sides)
        if not sampled:
            figures[figure] = CountedChange(before, after)
            continue
        of = "allocated" if figure == "blocks" else figure
        rests_on = [sum(looks(figure_of(it, of)) for it in side) for side in sides]
        figures[figure] = Change(before, after, (rests_on[0], rests_on[1]))
    return MemoryChange(*name, figures)
