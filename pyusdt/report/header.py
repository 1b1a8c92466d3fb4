# SPDX-License-Identifier: Apache-2.0
"""What stands above a table for the terminal: what was recorded, and where its time went."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from pyusdt.recording import Recording
from pyusdt.recording.account import Account, RecordingAccount, account
from pyusdt.recording.charges import WAITS
from pyusdt.report.bars import made_of
from pyusdt.report.certainty import figure, percentage
from pyusdt.report.columns import Column, Name, Row, table
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


def print_header(console: Console, recording: Recording, *, threads: bool) -> None:
    """Print it, with a line for each thread if these are asked for."""
    known = "cpu" in recording.known
    console.print(_recorded(recording, wall=known))
    if not known:
        return
    it = account(recording)
    console.print(_time(it))
    for note in _certainty(recording):
        console.print(Text(note, "dim"))
    rows = list(_rows(recording, it, threads=threads))
    if len(rows) > 1 or threads:
        _print_rows(console, rows)
    console.print()


def _recorded(recording: Recording, *, wall: bool) -> Text:
    text = Text(printable(recording.path or "recording"), style="bold")
    elapsed = max((thread.elapsed_ns for thread in recording.threads), default=0)
    text.append(
        f"  {plural(len(recording.processes), 'process', 'processes')},"
        f" {plural(sum(thread.count for thread in recording.threads), 'thread')},"
        f" {'wall ' * wall}{duration(elapsed)}, {duration(recording.self_ns)} in functions",
        style="dim",
    )
    return text


def _time(it: Account) -> Text:
    """CPU and waits in one sentence. The sum of CPU time is that of the threads' own clocks."""
    charges = it.charges
    user, system = (figure(charges.of(kind), charges.looks(kind)) for kind in ("user", "system"))
    text = Text(f"cpu {duration(charges.cpu_ns)}", "bold")
    text.append(f" (user {user}, system {system})", "dim")
    text.append(f", waits {figure(charges.wait_ns, charges.looks('wait'))}", "bold not dim")
    waits = sorted(charges.waits.items(), key=lambda item: -item[1])
    parts = [f"{wait} {figure(ns, charges.looks(wait))}" for wait, ns in waits]
    text.append(f" ({', '.join(parts)})" if parts else "", "dim")
    if contention := _contention(it):
        text.append(f", GIL contention {contention}", "bold")
    return text


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
        "exact": "CPU and waits are sampled (~), calls and wall times exact",
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
        own = [thread for thread in it.threads if thread.thread.process == process.process.id]
        own.sort(key=lambda thread: -thread.charges.cpu_ns)
        for thread in own:
            label = printable(recording.thread_label(thread.thread), 60)
            yield _figures(thread), Name(label, guide="  ", style="")


def _figures(it: Account) -> tuple[str | Text, ...]:
    charges = it.charges
    if not charges:
        return (duration(it.wall_ns), *[""] * (len(_COLUMNS) - 1))
    return (
        duration(it.wall_ns),
        duration(charges.cpu_ns),
        *(figure(charges.of(kind), charges.looks(kind)) for kind in ("user", "system", "wait")),
        made_of(charges.cpu_ns, charges.waits),
        *(figure(charges.of(k), charges.looks(k)) if charges.of(k) else "" for k in WAITS),
        _contention(it),
    )


def _print_rows(console: Console, rows: Sequence[Row]) -> None:
    shown = rows[:_MOST]
    there = [column for column in range(len(_COLUMNS)) if any(row[column] for row, _ in rows)]
    cells: list[Row] = [(tuple(row[i] for i in there), name) for row, name in shown]
    console.print()
    console.print(table([_COLUMNS[i] for i in there], cells, "process or thread", console.width))
    if more := len(rows) - len(shown):
        console.print(Text(f"… {more:,} more: --process PID, --thread NAME", "dim"))
