# SPDX-License-Identifier: Apache-2.0
"""Memory for the terminal: functions by what they allocated and held, the call tree, the lines, or
what is alive at the end."""

from rich.console import Console
from rich.text import Text

from pyusdt.errors import UserError
from pyusdt.recording import Recording
from pyusdt.report.amounts import ELSEWHERE, Amounts, columns, elsewhere, figure_of
from pyusdt.report.cells import BESIDE, Names
from pyusdt.report.columns import Name, Row, table
from pyusdt.report.header import recorded
from pyusdt.report.leaks import print_leaks
from pyusdt.report.memory_header import print_memory_header
from pyusdt.report.memory_lines import print_memory_lines
from pyusdt.report.memory_tree import memory_tree
from pyusdt.report.options import Options
from pyusdt.report.order import MEMORY

_NAMES = {field: name for name, field in MEMORY.items()}


def print_memory(console: Console, recording: Recording, options: Options) -> None:
    """Print what `options` ask for. Raises UserError where nothing is known."""
    require(recording)
    by = _NAMES.get(options.sort or "", "live" if options.leaks else "peak")
    console.print(recorded(recording))
    print_memory_header(console, recording)
    console.print()
    if options.leaks:
        print_leaks(console, recording, options.top)
    elif options.lines is not None:
        print_memory_lines(console, recording, options, by)
    elif options.tree:
        console.print(memory_tree(recording, by, console.width))
    else:
        _print_functions(console, recording, by, options.top)


def require(recording: Recording) -> None:
    """Raise UserError where it has no memory, with the reason."""
    path = recording.path or "the recording"
    if "memory" not in recording.known:
        raise UserError(
            f"{path}: memory was not recorded; pyusdt -o FILE --memory PROGRAM records it"
        )
    if not recording.memory_totals.allocated_blocks:
        seen = " by what a sample met" if Amounts(recording).sampled else ""
        raise UserError(f"{path}: nothing was allocated{seen}, or filters have left nothing")


def _print_functions(console: Console, recording: Recording, by: str, top: int | None) -> None:
    amounts, names = Amounts(recording), Names(recording)
    found = [it for it in recording.memory_by_function.items() if it[1].allocated_blocks]
    found.sort(key=lambda it: (-figure_of(it[1], by), -it[1].allocated_bytes, it[0]))
    whole = sum(figure_of(figures, by) for _, figures in found) or 1
    rows: list[Row] = [
        (amounts.cells(figures, by, whole), _name(names, index)) for index, figures in found[:top]
    ]
    console.print(table(columns(by), rows, "function", console.width, BESIDE))
    if hidden := len(found) - len(rows):
        console.print(Text(f"{hidden:,} more functions: --top {len(found)}", "dim"))


def _name(names: Names, index: int) -> Name:
    return elsewhere(index) if index in ELSEWHERE else names.of(index)
