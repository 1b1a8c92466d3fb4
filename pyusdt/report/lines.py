# SPDX-License-Identifier: Apache-2.0
"""Functions whose lines were recorded, with the text of their files: what every report of lines
shows, and the one place where the text is chosen.

The text that was recorded comes first. Without one, it is that of the file as it is here now, as
far as it may be read (sources.py).
"""

import inspect
import io
import os
import tokenize
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from pyusdt.errors import UserError
from pyusdt.patterns import chooser, glob
from pyusdt.recording import CodeRecord, Recording
from pyusdt.recording.charges import Charges, total
from pyusdt.recording.held import by_line
from pyusdt.recording.lines import Line, LineFigures
from pyusdt.report.order import ordered
from pyusdt.report.sources import MOST_READ, RefusedError, is_foreign, read
from pyusdt.report.text import printable
from pyusdt.unmatched import closest, nearest

State = Literal["recorded", "changed", "now", "missing"]
"""Of a text: it was recorded; so it was, and the file here has another one now; it is that of the
file now; there is none."""

_NOTHING = LineFigures(0, 0, 0, 0)
_MOST_PARSED = 2_000  # lines ahead of a function, in which its end is looked for
_LONGEST_LINE = 1_000  # no Python that people write


@dataclass(frozen=True)
class LinedFunction:
    """A function with its lines, by number. `index` is that of its record."""

    index: int
    record: CodeRecord
    lines: list[Line]
    source: list[str] | None
    """All lines of its file, without their ends. Shared by its functions: not to be changed."""
    state: State

    @cached_property
    def total_ns(self) -> int:
        """What shares of lines are shares of. The lines of a recursion count each other."""
        return sum(line.total_ns for line in self.lines)

    @cached_property
    def self_ns(self) -> int:
        return sum(line.self_ns for line in self.lines)

    @cached_property
    def charges(self) -> Charges:
        return total(line.charges for line in self.lines)

    @property
    def cpu_ns(self) -> int:
        return self.charges.cpu_ns

    def text(self, line: int) -> str:
        """That of a line, "" where there is none."""
        source = self.source or ()
        return source[line - 1] if 0 < line <= len(source) else ""

    @property
    def numbers(self) -> list[int]:
        """The numbers of all its lines that have a text or figures."""
        block = self.block if self.source else ()
        return sorted({*block, *(line.line for line in self.lines)})

    @cached_property
    def block(self) -> range:
        """The numbers of its lines in the text, from its definition, with decorators, to its end;
        its first and its last line that have figures, where that is all that is known."""
        numbers = [line.line for line in self.lines] or [self.record.line]
        first = self.record.line
        if not self.source or not 0 < first <= len(self.source):
            return range(min(numbers), max(numbers) + 1)
        ahead = self.source[first - 1 : first - 1 + _MOST_PARSED]
        # What has no name, such as <genexpr>, is a part of that line.
        length = 1 if self.record.name.startswith("<") else _length(ahead)
        last = max(*numbers, first + length - 1)
        return range(first, min(last, len(self.source)) + 1)


def _length(ahead: list[str]) -> int:
    """How many of these lines the block has that begins with them; 1 where they are no Python."""
    if max(map(len, ahead)) > _LONGEST_LINE:
        return 1
    try:
        return max(len(inspect.getblock([f"{line}\n" for line in ahead])), 1)
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return 1


def lined_functions(
    recording: Recording, wanted: str = "", sort: str | None = None
) -> list[LinedFunction]:
    """The functions that have lines, in the order of functions (order.py). `wanted` is a pattern of
    functions, the name of one, or the path of a file or its end; "" are all of them. Raises
    UserError where there are none of these."""
    texts = Texts(recording)
    return [
        LinedFunction(i, recording.records[i], lines, *texts.of(recording.records[i].file))
        for i, lines in lines_by_function(recording, wanted, sort).items()
    ]


def lines_by_function(
    recording: Recording, wanted: str = "", sort: str | None = None
) -> dict[int, list[Line]]:
    """The same without texts: the lines of functions, by the index of these."""
    lines = _by_function(recording)
    order = [f.index for f in ordered(recording, sort) if f.index in lines]
    order += sorted(lines.keys() - set(order))
    if wanted:
        order = _chosen(recording, order, wanted)
    return {index: lines[index] for index in order}


def _by_function(recording: Recording) -> dict[int, list[Line]]:
    """The lines of each function, over all processes; also those that have memory alone."""
    sums = dict.fromkeys(by_line(recording.memory), _NOTHING)
    for (_, index, line), it in recording.lines.items():
        known = sums.get((index, line))
        sums[index, line] = known.plus(it) if known else it
    found: dict[int, list[Line]] = {}
    for (index, line), it in sorted(sums.items(), key=lambda item: item[0]):
        figures = it.hits, it.errors, it.total_ns, it.self_ns, it.charges
        found.setdefault(index, []).append(Line(recording.records[index], line, *figures))
    return found


def _chosen(recording: Recording, order: list[int], wanted: str) -> list[int]:
    is_wanted = matching(wanted)
    chosen = [i for i in order if is_wanted(recording.records[i])]
    if order and not chosen:
        records = map(recording.records.__getitem__, order)
        raise none_of(wanted, records, recording.path or "the recording")
    return chosen


def matching(wanted: str) -> Callable[[CodeRecord], bool]:
    """Whether `wanted`, as in lined_functions(), asks for a function."""
    of_pattern, of_name = chooser(wanted, ""), glob(wanted)
    path = os.path.abspath(wanted) if "/" in wanted else wanted

    def is_wanted(record: CodeRecord) -> bool:
        file = record.file
        of_file = file in (wanted, path) or file.endswith("/" + wanted.lstrip("/"))
        return of_file or of_name(record.qualname) or of_pattern(record.module, record.qualname)

    return is_wanted


def none_of(wanted: str, records: Iterable[CodeRecord], where: str) -> UserError:
    """That none of these functions is asked for."""
    names = {(it.module, it.qualname): it.file.rpartition("/")[2] for it in records}
    bare = [*(qualname for _, qualname in names), *names.values()]
    found = nearest(wanted, names, ()) or closest(wanted, bare)
    hint = f"; nearest: {printable(found)}" if found else ""
    return UserError(
        f"{where}: no lines of {printable(wanted)}: no such function or file has any{hint}"
    )


class Texts:
    """The texts of files, each chosen once."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._foreign = is_foreign(recording.path)
        self._may_read = MOST_READ
        self._known: dict[str, tuple[list[str] | None, State]] = {}

    def of(self, file: str) -> tuple[list[str] | None, State]:
        """The lines, and what they are."""
        if file not in self._known:
            self._known[file] = self._choose(file)
        return self._known[file]

    def line(self, file: str, number: int) -> str:
        """The text of a line, "" where there is none."""
        source = self.of(file)[0] or ()
        return source[number - 1] if 0 < number <= len(source) else ""

    def _choose(self, file: str) -> tuple[list[str] | None, State]:
        now = self._now(file)
        then = self._recording.source_of(file)
        if then is not None:
            changed = now is not None and now != then.text
            return lines_of(then.text), "changed" if changed else "recorded"
        return (None, "missing") if now is None else (lines_of(now), "now")

    def _now(self, file: str) -> str | None:
        try:
            data = read(file, self._foreign, self._may_read)
        except (RefusedError, OSError, ValueError):
            return None
        self._may_read -= len(data)
        return _decoded(data) if data else None


def _decoded(data: bytes) -> str:
    """The text of a source as Python reads it; what is no text of its encoding is replaced."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return _text(data, encoding)
    except (SyntaxError, LookupError, ValueError):  # an encoding of bytes, or of anything but text
        return _text(data, "utf-8-sig")


def _text(data: bytes, encoding: str) -> str:
    with io.TextIOWrapper(io.BytesIO(data), encoding, "replace") as text:
        return text.read()


def lines_of(text: str) -> list[str]:
    """Without their ends, as Python counts them: a form feed ends none."""
    lines = text.split("\n")
    return lines[:-1] if not lines[-1] else lines
