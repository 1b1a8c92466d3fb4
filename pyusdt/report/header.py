# SPDX-License-Identifier: Apache-2.0
"""What stands above a table for the terminal: what was recorded, and where its time went."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.text import Text

from pyusdt.recording import Recording
from pyusdt.recording.account import Account, RecordingAccount, account
from pyusdt.recording.charges import CPU, WAITS
from pyusdt.report.bars import kinds_of, made_of
from pyusdt.report.certainty import percentage
from pyusdt.report.columns import Column, Name, Row, table
from pyusdt.report.fitted import fitted
from pyusdt.report.memory_header import summary as memory_summary
from pyusdt.report.readings import Reading, sampled
from pyusdt.report.text import duration, plural, printable

_MOST = 100  # processes, and threads, in the table
# The higher the rank, the sooner a column is left out.
_COLUMNS = (
    Column("wall", 2),
    Column("cpu"),
    Column("user", 7),
    Column("system", 6),
    Column("wait", 1),
    Column("", 3, left=True),
    *(Column(wait, 8 + number) for number, wait in enumerate(WAITS)),
    Column("gil contention", 5),
)


def print_header(console: Console, recording: Recording, *, threads: bool) -> set[str]:
    """Print it, with a line for each thread if these are asked for. Return the kinds of time that
    its bars show."""
    console.print(recorded(recording))
    if "memory" in recording.known:
        console.print(fitted(memory_summary(recording), console.width))
    if "cpu" not in recording.known:
        _print_notes(console, _lined(recording))
        return set()
    it = account(recording)
    for line in (_cpu(it), _waits(recording, it)):
        console.print(fitted(line, console.width))
    _print_notes(console, (*_certainty(recording), *_lined(recording)))
    rows = list(_rows(recording, it, threads=threads))
    console.print()
    if len(rows) == 1 and not threads:
        return set()
    _print_rows(console, rows)
    console.print()
    accounts = [*it.processes, *(it.threads if threads else ())]
    return {kind for one in accounts for kind in kinds_of(one.charges.cpu_ns, one.charges.waits)}


def _print_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(Text(note, "dim"))


def _lined(recording: Recording) -> Iterator[str]:
    """That lines were recorded."""
    if lined := len({index for _, index, _ in recording.lines}):
        yield f"lines of {plural(lined, 'function')} were recorded (--lines)"


def recorded(recording: Recording) -> Text:
    """What it is of: processes, threads, and how long."""
    known = "cpu" in recording.known
    text = Text(printable(recording.path or "recording"), style="bold")
    elapsed = duration(max((thread.elapsed_ns for thread in recording.threads), default=0))
    text.append(
        f"  {plural(len(recording.processes), 'process', 'processes')},"
        f" {plural(sum(thread.count for thread in recording.threads), 'thread')},"
        f" {'wall ' if known else ''}{elapsed}"
        f"{'' if known else f', {duration(recording.self_ns)} in functions'}",
        style="dim",
    )
    return text


def _cpu(it: Account) -> list[str]:
    """CPU time: the sum is that of the threads' own clocks, its parts are sampled."""
    charges = it.charges
    parts = (f"{kind} {sampled(charges, kind)}" for kind in CPU)
    return [f"cpu {duration(charges.cpu_ns)}", *parts]


def _waits(recording: Recording, it: Account) -> list[str]:
    """The waits: the kernel's, where it has counted them."""
    charges = it.charges
    waits = {wait: sampled(charges, wait) for wait in charges.waits}
    whole = sampled(charges, "wait")
    if kernel := _kernel_waits(recording):
        waits = {wait: Reading(ns, None) for wait, ns in kernel.items()}
        whole = Reading(kernel.total(), None)
    ordered = sorted(waits.items(), key=lambda item: -(item[1].ns or 0))
    parts = [f"{printable(wait, 20)} {reading}" for wait, reading in ordered]
    contention = _contention(it)
    return [
        f"waits {whole}",
        *parts,
        *([f"GIL contention {contention}"] if contention else []),
    ]


def _kernel_waits(recording: Recording) -> Counter[str]:
    """Those of the threads that were recorded: the process has others, ours among them."""
    waits: Counter[str] = Counter()
    for (_, thread, _, kind, name), figures in recording.kernel.items():
        if kind == "offcpu" and thread >= 0:
            waits[name] += figures.ns
    return waits


def _contention(it: Account) -> str:
    """What part of the time in which threads wanted the GIL they waited for it."""
    charges = it.charges
    if not charges.of("gil"):
        return ""
    wanted = charges.of("gil") + charges.cpu_ns
    return percentage(charges.of("gil"), wanted, charges.looks("gil"))


def _certainty(recording: Recording) -> Iterator[str]:
    """What is exact, and what is sampled."""
    yield {
        "exact": "CPU and waits are sampled (~), calls and wall times exact, and their limit (<)",
        "sampled": "times, CPU and waits are sampled (~), calls exact",
    }.get(
        recording.times,
        "CPU and waits are sampled (~), and of some processes all times; calls are exact",
    )
    if "kernel" in recording.known:
        yield "waits without ~ are the kernel's own account"
    without = sum(not process.sampled for process in recording.processes)
    if without:
        yield f"{plural(without, 'process', 'processes')} without a sampler: no CPU and no waits"
    for process in recording.processes:
        if process.kernel:
            yield f"the kernel's account of process {process.pid}: {printable(process.kernel)}"


def _rows(recording: Recording, it: RecordingAccount, *, threads: bool) -> Iterator[Row]:
    for process in it.processes:
        command = printable(process.process.command, 60)
        name = Name(f"process {process.process.pid}", ((command, "dim"),), style="bold magenta")
        yield _figures(process), name
        if not threads:
            continue
        for thread in sorted(process.threads, key=lambda thread: -thread.charges.cpu_ns):
            label = printable(recording.thread_label(thread.thread), 60)
            yield _figures(thread), Name(label, guide="  ", style="")


def _figures(it: Account) -> tuple[str | Text, ...]:
    charges = it.charges
    if not charges:
        return (duration(it.wall_ns), *[""] * (len(_COLUMNS) - 1))
    return (
        duration(it.wall_ns),
        duration(charges.cpu_ns),
        *(str(sampled(charges, kind)) for kind in ("user", "system", "wait")),
        made_of(charges.cpu_ns, charges.waits),
        *(str(sampled(charges, kind)) if charges.of(kind) else "" for kind in WAITS),
        _contention(it),
    )


def _print_rows(console: Console, rows: Sequence[Row]) -> None:
    shown = rows[:_MOST]
    there = [column for column in range(len(_COLUMNS)) if any(row[column] for row, _ in rows)]
    cells: list[Row] = [(tuple(row[i] for i in there), name) for row, name in shown]
    console.print(table([_COLUMNS[i] for i in there], cells, "process or thread", console.width))
    if more := len(rows) - len(shown):
        console.print(Text(f"… {more:,} more: --process PID, --thread NAME", "dim"))
