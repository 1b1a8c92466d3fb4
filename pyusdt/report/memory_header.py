# SPDX-License-Identifier: Apache-2.0
"""What stands above tables of memory: how much there was at all, and in RAM over time."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from pyusdt.recording import Recording
from pyusdt.recording.memory import ResidentRow
from pyusdt.report.amounts import Amounts
from pyusdt.report.fitted import fitted
from pyusdt.report.sparks import over_time
from pyusdt.report.text import plural, printable, size

_MOST = 100  # processes
_SPARKS = 40
_KINDS = {
    "all": "every block that Python's allocators, malloc() and mmap() handed out",
    "python": "every block that Python's allocators handed out; native memory is not in it",
    "sampled": "what samples of all blocks stand for (~); the biggest block is the biggest sample",
    "python, sampled": "what samples of the blocks of Python's allocators stand for (~)",
}


def print_memory_header(console: Console, recording: Recording) -> None:
    """Print it."""
    console.print(fitted(summary(recording), console.width))
    for line in _in_ram(recording):
        console.print(line)
    for note in _notes(recording):
        console.print(Text(note, "dim"))


def summary(recording: Recording) -> list[str]:
    """How much there was at the peak, at all, and is alive."""
    amounts, it = Amounts(recording), recording.memory_totals
    peaks = "peaks of processes" if _several(recording) else "peak"
    return [
        f"memory {amounts.bytes(it.peak_bytes)} at {peaks}",
        _in_blocks(amounts, "allocated", it.allocated_bytes, it.allocated_blocks),
        _in_blocks(amounts, "live", it.live_bytes, it.live_blocks),
        f"temporary {amounts.bytes(it.temporary_bytes)}",
    ]


def _in_blocks(amounts: Amounts, what: str, n_bytes: int, blocks: int) -> str:
    figures = f"{what} {amounts.bytes(n_bytes)}"
    return f"{figures} in {amounts.blocks(blocks, n_bytes)} blocks" if blocks else figures


def _several(recording: Recording) -> bool:
    return sum(process.memory is not None for process in recording.processes) > 1


def _in_ram(recording: Recording) -> Iterator[Text]:
    """What was in RAM, for each process."""
    there = [process for process in recording.processes if recording.resident.get(process.id)]
    for process in there[:_MOST]:
        rows = recording.resident[process.id]
        yield _of_process(f"process {process.pid}", printable(process.command, 60), rows)
    if len(there) > _MOST:
        yield Text(f"… {len(there) - _MOST:,} more processes: --process PID", "dim")


def _of_process(name: str, command: str, rows: Sequence[ResidentRow]) -> Text:
    line = Text(name, "magenta", no_wrap=True, overflow="ellipsis")
    line.append(f"  RSS peak {size(max(row.peak_bytes for row in rows))}", "default")
    if chart := over_time([(row.at_ns, row.rss_bytes) for row in rows], _SPARKS):
        line.append(f"  {size(rows[0].rss_bytes)} ", "dim").append(chart, "cyan")
        line.append(f" {size(rows[-1].rss_bytes)}", "dim")
    if swapped := max(row.swap_bytes for row in rows):
        line.append(f"  swapped out at most {size(swapped)}", "dim")
    return line.append(f"  {command}" if command else "", "dim")


def _notes(recording: Recording) -> Iterator[str]:
    """What was recorded, of which processes, and what its peaks are."""
    kinds = {process.memory: None for process in recording.processes if process.memory}
    for kind in kinds:
        yield _KINDS.get(kind, f"recorded: {printable(kind, 40)}")
    without = sum(process.memory is None for process in recording.processes)
    if without:
        yield f"{plural(without, 'process', 'processes')} without an account of memory"
