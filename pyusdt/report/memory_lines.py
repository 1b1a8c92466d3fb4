# SPDX-License-Identifier: Apache-2.0
"""The lines of functions for the terminal: their source, and before each line what it allocated."""

from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.text import Text

from pyusdt.errors import UserError
from pyusdt.recording import Recording
from pyusdt.recording.held import by_line
from pyusdt.recording.memory import MemoryFigures, total
from pyusdt.report.amounts import Amounts, columns, figure_of
from pyusdt.report.annotated import heading, hot, print_state, source_texts
from pyusdt.report.columns import Column, Cut, Row, table
from pyusdt.report.lines import LinedFunction, lined_functions
from pyusdt.report.options import Options
from pyusdt.report.order import MEMORY
from pyusdt.report.place import place, roots

_Lines = Mapping[int, MemoryFigures]


def print_memory_lines(console: Console, recording: Recording, options: Options, by: str) -> None:
    """Print the functions that are asked for, those with the most first, by a name of order.MEMORY.
    Raises UserError where none of their lines has allocated anything."""
    lines = _by_function(recording)
    functions = [
        f for f in lined_functions(recording, options.lines or "", MEMORY[by]) if f.index in lines
    ]
    if not functions:
        of = f" of {options.lines}" if options.lines else ""
        path = recording.path or "the recording"
        raise UserError(f"{path}: no line{of} has allocated anything")
    functions.sort(key=lambda f: -figure_of(total(lines[f.index].values()), by))
    below = roots(recording)
    for f in functions[: options.top]:
        if f is not functions[0]:
            console.print()
        held = lines[f.index]
        console.print(_heading(recording, f, held, place(f.record, below), console.width))
        print_state(console, f)
        rows = list(_rows(console, recording, f, held, by, full=options.full))
        console.print(table([Column("line"), *columns(by)], rows, "source", console.width))
    if hidden := len(functions) - len(functions[: options.top]):
        console.print(Text(f"{hidden:,} more functions: --top {len(functions)}", "dim"))


def _by_function(recording: Recording) -> dict[int, dict[int, MemoryFigures]]:
    found: dict[int, dict[int, MemoryFigures]] = {}
    for (index, line), figures in by_line(recording.memory).items():
        found.setdefault(index, {})[line] = figures
    return found


def _heading(recording: Recording, f: LinedFunction, held: _Lines, where: str, width: int) -> Text:
    amounts, figures = Amounts(recording), total(held.values())
    parts = (
        f"at peak {amounts.bytes(figures.peak_bytes)}",
        f"allocated {amounts.bytes(figures.allocated_bytes)}",
        f"live {amounts.bytes(figures.live_bytes)}",
    )
    return heading(f.record.label, where, ", ".join(parts), width)


def _rows(
    console: Console, recording: Recording, f: LinedFunction, held: _Lines, by: str, *, full: bool
) -> Iterator[Row]:
    amounts = Amounts(recording)
    texts = dict(zip(f.numbers, source_texts(console, map(f.text, f.numbers)), strict=True))
    whole = figure_of(total(held.values()), by) or 1
    n_cells = len(columns(by))
    weights = ({n: figure_of(it, name) for n, it in held.items()} for name in MEMORY)
    last = None
    for n in f.numbers if full else hot(f.numbers, f.record.line, weights):
        if last is not None and n != last + 1:
            yield ("...", *[""] * n_cells), Cut(Text(""))
        cells = amounts.cells(held[n], by, whole) if n in held else [""] * n_cells
        yield (str(n), *cells), Cut(texts[n])
        last = n
