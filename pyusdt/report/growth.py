# SPDX-License-Identifier: Apache-2.0
"""What grows from one step of a name to the next: bytes a step, with the interval that has it, the
line, and what was alive at the end of the last one."""

from collections.abc import Iterator
from itertools import groupby

from rich.console import Console
from rich.text import Text

from pyusdt.errors import UserError
from pyusdt.memory import is_sampled
from pyusdt.recording import CodeRecord, Recording
from pyusdt.recording.lived import Growth
from pyusdt.report.columns import Column, Name, Row, table
from pyusdt.report.place import place, roots
from pyusdt.report.text import plural, printable, size

_COLUMNS = (
    Column("a step"),
    Column("99% within", 1),
    Column("alive", 2),
    Column("", 3, left=True),
)
_SPARKS = "▁▂▃▄▅▆▇█"
_CELLS = 16
_FEWEST = 20
"""Of how many iterations there are about as many points as a verdict needs (trend.py)."""


def print_growth(console: Console, recording: Recording, top: int | None) -> None:
    """Print what certainly grows, for each name of steps, or that nothing does."""
    for (process, name), looked in _looked_at(recording):
        found = [it for it in recording.growth if (it.process, it.name) == (process, name)]
        grows = [it for it in found if it.grows]
        console.print(Text(_heading(recording, process, name, looked)))
        if not grows:
            console.print(Text(_nothing(looked), "dim"))
        else:
            rows = [_row(recording, it) for it in grows[:top]]
            console.print(table(_COLUMNS, rows, "allocated by", console.width, (1,)))
            if top is not None and len(grows) > top:
                console.print(Text(f"{len(grows) - top:,} more: --top {len(grows)}", "dim"))


def without_points(recording: Recording) -> UserError:
    """Why nothing is known."""
    if "memory" not in recording.known:
        why = "memory was not recorded: record with --memory"
    elif not any(row.kind == "step" for rows in recording.step_rows.values() for row in rows):
        why = "no steps were recorded, such as those of pyusdt.steps()"
    else:
        why = "it is known at the end of a process, which has not come or was not seen"
    return UserError(f"{recording.path or 'the recording'}: no growth: {why}")


class _Looked:
    """The points of a name."""

    def __init__(self, iterations: list[int], places: int) -> None:
        self.iterations = iterations
        self.places = places


def _looked_at(recording: Recording) -> Iterator[tuple[tuple[int, str], _Looked]]:
    points = sorted(recording.aged.points)
    for key, some in groupby(points, lambda point: point[:2]):
        of = [*some]
        yield key, _Looked([point.iteration for point in of], of[0].changing)


def _heading(recording: Recording, process: int, name: str, looked: _Looked) -> str:
    pids = {it.id: it.pid for it in recording.processes}
    of = f", process {pids.get(process, process)}" if len(recording.processes) > 1 else ""
    places = plural(looked.places, "place")
    return (
        f"{printable(name, 100) or '(nameless)'}{of}: what is alive at the ends of"
        f" {len(looked.iterations):,} of {plural(looked.iterations[-1], 'step')}; it changes in"
        f" {places}"
    )


def _nothing(looked: _Looked) -> str:
    if len(looked.iterations) < _FEWEST:
        return "too few steps to say whether anything grows: about 20 are needed"
    return "nothing grows for certain"


def _row(recording: Recording, it: Growth) -> Row:
    about = "~" * _is_sampled(recording, it.process)
    low, high = size(it.trend.low), size(it.trend.high)
    within = f"{low} … {high}" if low != high else ""
    cells = f"{about}+{size(it.trend.slope)}", within, f"{about}{size(it.bytes)}", _sparks(it)
    return cells, _name(recording, it)


def _name(recording: Recording, it: Growth) -> Name:
    if it.record is None:
        return Name("(outside of all functions)", style="dim")
    name = printable(it.record.label, 200)
    if it.line_record is None or not it.line:
        return Name(name, ((place(it.record, roots(recording)), "dim"),))
    where = _where(it.line_record, it.line, recording)
    by = "" if it.line_record is it.record else printable(it.line_record.qualname, 80)
    return Name(name, ((where, "dim"), (f"← {by}" if by else "", "dim")))


def _where(record: CodeRecord, line: int, recording: Recording) -> str:
    return place(record._replace(line=line), roots(recording))


def _is_sampled(recording: Recording, process: int) -> bool:
    return any(is_sampled(it.memory) for it in recording.processes if it.id == process)


def _sparks(it: Growth) -> Text:
    """What was alive, over the steps."""
    values = [bytes_ for _, bytes_ in it.points]
    cells = [values[len(values) * i // _CELLS] for i in range(_CELLS)]
    low, span = min(cells), max(cells) - min(cells) or 1
    return Text("".join(_SPARKS[(v - low) * (len(_SPARKS) - 1) // span] for v in cells), "cyan")
