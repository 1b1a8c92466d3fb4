# SPDX-License-Identifier: Apache-2.0
"""The lines of functions, before and after: what changed of those whose text is the same.

A function is compared by the texts that the recordings have. Its lines in the two texts are paired
(same_lines.py); what the others took is one sum on each side.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce

from pyusdt.compare import Change, Comparison, FunctionChange
from pyusdt.errors import UserError
from pyusdt.recording import CodeRecord, Recording
from pyusdt.recording.lines import LineFigures
from pyusdt.recording.source import Source
from pyusdt.report import without_lines
from pyusdt.report.lines import LinedFunction, lines_by_function, lines_of, matching, none_of
from pyusdt.report.readings import sampled
from pyusdt.report.text import printable
from pyusdt.same_lines import SameLines

_Name = tuple[str, str]  # module, qualname
_MOST_WHYS = 3
_NO_TEXT = "has no text of it"
_NOTHING = LineFigures(0, 0, 0, 0)
_MATTERS = 100  # what is less than one part in so many does not


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that is the same on both sides; `numbers` are where it is in the first run of each. As
    FunctionChange has them: `self_ns` is None where not all recordings know it, `cpu_ns` and
    `wait_ns` where not all know these."""

    numbers: tuple[int, int]
    text: str
    hits: Change
    self_ns: Change | None
    cpu_ns: Change | None = None
    wait_ns: Change | None = None

    @property
    def own(self) -> Change | None:
        """What is judged of its own time."""
        return self.self_ns if self.cpu_ns is None else self.cpu_ns


@dataclass(frozen=True)
class LinesChange:
    """The lines of a function. `rest` is the sum of those that are not the same, `n_rest` their
    number before and after. Where `why` is not empty there are none, and it says why."""

    function: FunctionChange
    why: str = ""
    record: CodeRecord | None = None
    definition: str = ""
    """The text of its first line."""
    lines: list[LineChange] = field(default_factory=list)
    rest: LineChange | None = None
    n_rest: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        return f"{self.function.module}:{self.function.qualname}"

    @cached_property
    def changed(self) -> list[LineChange]:
        """Those of whose own time or waits so much changed that it matters to the function, or of
        whose hits so much that it matters to them."""
        most = max(map(self._most, ("own", "wait_ns")), default=0.0)

        def matters(it: LineChange) -> bool:
            times = (change for change in (it.own, it.wait_ns) if change is not None)
            if any(change.delta and abs(change.delta) * _MATTERS >= most for change in times):
                return True
            hits = max(it.hits.mean_before, it.hits.mean_after)
            return bool(it.hits.delta) and abs(it.hits.delta) * _MATTERS >= hits

        return [it for it in self.lines if matters(it)]

    def _most(self, figure: str) -> float:
        """What all its lines took, on the side where it was more."""
        all_lines = [*self.lines, *([self.rest] if self.rest else [])]
        known = (getattr(line, figure) for line in all_lines)
        changes: list[Change] = [it for it in known if it is not None]
        return max(sum(it.mean_before for it in changes), sum(it.mean_after for it in changes))


def compare_lines(
    comparison: Comparison,
    before: Sequence[Recording],
    after: Sequence[Recording],
    wanted: str = "",
) -> list[LinesChange]:
    """The lines of each function that has any in some recording, in the order of the comparison.
    `wanted` chooses, as in report/lines.py. Raises UserError where there are no lines."""
    recordings = [*before, *after]
    for recording in recordings:
        if not recording.lines:
            raise without_lines(recording)
    is_wanted = matching(wanted)
    runs = [_Run(recording) for recording in recordings]
    names = {
        name
        for run in runs
        for name, f in run.functions.items()
        if not wanted or any(map(is_wanted, f.records))
    }
    if not names:
        records = (record for run in runs for f in run.functions.values() for record in f.records)
        raise none_of(wanted, records, "compare")
    exact = all(recording.times == "exact" for recording in recordings)
    figures, same = _Figures(exact, comparison.by_cpu), SameLines()
    found = [
        _compared(function, runs[: len(before)], runs[len(before) :], figures, same)
        for function in comparison.functions
        if (function.module, function.qualname) in names
    ]
    if all(it.why for it in found):
        whys = "; ".join([*{it.why: None for it in found}][:_MOST_WHYS])
        hint = ": --no-source, record -p, or a killed process" if whys.endswith(_NO_TEXT) else ""
        raise UserError(f"compare: no line is in all recordings: {whys}{hint}")
    return found


def judged(changes: Iterable[LinesChange]) -> Iterator[tuple[str, str, Change]]:
    """(name, figure, change) of the lines whose growth counts: waiting counts nowhere."""
    for it in changes:
        for line in it.lines if not it.function.waits else ():
            if line.own is not None:
                figure = "self" if line.cpu_ns is None else "cpu"
                yield f"{it.name}, line {line.numbers[1]}", figure, line.own


@dataclass(frozen=True, slots=True)
class _Figures:
    """The changes of a line in runs of either side."""

    exact: bool
    by_cpu: bool

    def change(
        self, numbers: tuple[int, int], text: str, sides: Sequence[Sequence[LineFigures]]
    ) -> LineChange:
        own = self._exactly(sides, lambda it: it.self_ns) if self.exact else None
        hits = self._exactly(sides, lambda it: it.hits)
        if not self.by_cpu:
            return LineChange(numbers, text, hits, own)
        charged = (self._charged(sides, measure) for measure in ("cpu", "wait"))
        return LineChange(numbers, text, hits, own, *charged)

    @staticmethod
    def _exactly(
        sides: Sequence[Sequence[LineFigures]], figure: Callable[[LineFigures], int]
    ) -> Change:
        before, after = (tuple(float(figure(it)) for it in side) for side in sides)
        return Change(before, after)

    def _charged(self, sides: Sequence[Sequence[LineFigures]], measure: str) -> Change:
        readings = [
            [sampled(it.charges, measure, it.self_ns if self.exact else None) for it in side]
            for side in sides
        ]
        before, after = (tuple(float(it.ns or 0) for it in side) for side in readings)
        looks = [sum(it.looks or 0 for it in side) for side in readings]
        return Change(before, after, (looks[0], looks[1]))


@dataclass
class _Function:
    """What a run has of the functions of a name."""

    functions: list[LinedFunction] = field(default_factory=list)
    text: Source | None = None

    @cached_property
    def figures(self) -> dict[int, LineFigures]:
        """Those of all its lines, by number."""
        sums: dict[int, LineFigures] = {}
        for it in (line for f in self.functions for line in f.lines):
            figures = LineFigures(it.hits, it.errors, it.total_ns, it.self_ns, it.charges)
            sums[it.line] = sums[it.line].plus(figures) if it.line in sums else figures
        return sums

    @property
    def records(self) -> list[CodeRecord]:
        return [it.record for it in self.functions]

    def numbers(self) -> list[int]:
        """Those of its lines in the text."""
        return sorted({number for it in self.functions for number in it.block})

    def line(self, number: int) -> str:
        """The text of a line."""
        return self.functions[0].text(number)

    def same_as(self, other: "_Function", same: SameLines) -> dict[int, int] | None:
        """Where the lines of `other` are here; None where both have one text. A line that is
        indented otherwise is the same."""
        if self.text == other.text:
            return None
        numbers = other.numbers(), self.numbers()
        texts = (
            [it.line(number).strip() for number in its]
            for it, its in zip((other, self), numbers, strict=True)
        )
        return {numbers[0][a]: numbers[1][b] for a, b in same.pairs(*texts)}


_NO_FUNCTION = _Function()


class _Run:
    """A recording: its functions that have lines, by name."""

    def __init__(self, recording: Recording) -> None:
        self.path = printable(recording.path or "a recording")
        named: dict[_Name, list[LinedFunction]] = {}
        texts: dict[str, tuple[Source | None, list[str] | None]] = {}
        for index, lines in sorted(lines_by_function(recording).items()):
            record = recording.records[index]
            if record.file not in texts:
                text = recording.source_of(record.file)
                texts[record.file] = text, lines_of(text.text) if text else None
            f = LinedFunction(index, record, lines, texts[record.file][1], "recorded")
            named.setdefault((record.module, record.qualname), []).append(f)
        self.functions: dict[_Name, _Function] = {}
        for name, functions in named.items():
            known = [f for f in functions if f.source] or functions  # not what exec() has made
            self.functions[name] = _Function(known, texts[known[0].record.file][0])

    def why_not(self, name: _Name, *, ran: bool) -> str:
        """Why the lines of a function cannot be compared with those of other runs; "" if they
        can."""
        f = self.functions.get(name)
        if f is None:
            return f"{self.path} has no lines of it" if ran else ""
        files = {record.file for record in f.records}
        if len(files) > 1:
            return "functions of this name are in several files"
        return "" if f.text else f"{self.path} {_NO_TEXT}"


def _compared(
    function: FunctionChange,
    before: Sequence[_Run],
    after: Sequence[_Run],
    figures: _Figures,
    same: SameLines,
) -> LinesChange:
    name = function.module, function.qualname
    runs = [*before, *after]
    if function.state:
        return LinesChange(function, function.state)
    calls = *function.calls.before, *function.calls.after
    times = *function.total_ns.before, *function.total_ns.after
    for run, n, total_ns in zip(runs, calls, times, strict=True):
        if why := run.why_not(name, ran=bool(n or total_ns)):
            return LinesChange(function, why)
    found = [run.functions.get(name, _NO_FUNCTION) for run in runs]
    reference = next(it for it in found[len(before) :] if it.functions)  # it ran there
    paired = [_Paired(it, it.same_as(reference, same) if it.functions else None) for it in found]
    return _paired(function, reference, (paired[: len(before)], paired[len(before) :]), figures)


def _paired(
    function: FunctionChange,
    reference: _Function,
    paired: tuple[list["_Paired"], list["_Paired"]],
    figures: _Figures,
) -> LinesChange:
    """Compare the runs of either side by the lines of `reference`, which is one of them."""
    all_runs = [*paired[0], *paired[1]]
    known = {number for run in all_runs for number in run.known()}
    same = {number for number in known if all(run.has(number) for run in all_runs)}
    first = next(run for run in paired[0] if run.function.functions)
    rests = [[run.rest(same) for run in side] for side in paired]
    n_rest = [max(n for _, n in side) for side in rests]
    return LinesChange(
        function,
        record=reference.functions[0].record,
        definition=reference.line(reference.functions[0].record.line),
        lines=[
            figures.change(
                (first.number(number), number),
                reference.line(number),
                [[run.figures(number) for run in side] for side in paired],
            )
            for number in sorted(same)
        ],
        rest=figures.change((0, 0), "", [[it for it, _ in side] for side in rests]),
        n_rest=(n_rest[0], n_rest[1]),
    )


@dataclass(frozen=True, slots=True)
class _Paired:
    """A function of a run, by the lines of another run's: `there` has where these are, None: at the
    same numbers."""

    function: _Function
    there: dict[int, int] | None

    def has(self, number: int) -> bool:
        return self.there is None or number in self.there

    def number(self, number: int) -> int:
        return number if self.there is None else self.there[number]

    def known(self) -> Iterator[int]:
        """The lines that are here and have figures."""
        if self.there is None:
            return iter(self.function.figures)
        return (number for number, it in self.there.items() if it in self.function.figures)

    def figures(self, number: int) -> LineFigures:
        return self.function.figures.get(self.number(number), _NOTHING)

    def rest(self, same: set[int]) -> tuple[LineFigures, int]:
        """The sum of all lines that have figures but those, and how many they are."""
        taken = {self.number(number) for number in same}
        others = [it for number, it in self.function.figures.items() if number not in taken]
        return reduce(LineFigures.plus, others, _NOTHING), len(others)
