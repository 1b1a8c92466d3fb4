# SPDX-License-Identifier: Apache-2.0
"""Who waits for what: function, caller, class of wait, and how long; below it the system calls.

Where the kernel has counted, its figures stand. It knows no callers: where a function has several,
its time is parted as the sampler found it, and marked as sampled.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from pyusdt.errors import UserError
from pyusdt.recording import Function, Recording
from pyusdt.recording.charges import NONE, WAITS, Charges, total
from pyusdt.recording.tree import paths
from pyusdt.report.cells import BESIDE, Names
from pyusdt.report.columns import Column, Name, Row, table
from pyusdt.report.readings import Reading, sampled
from pyusdt.report.text import duration, number, printable

_NO_CALLER = -1
_UNKNOWN = -2
# The higher the rank, the sooner a column is left out. Beside a name: its module, its place.
_WAITS = (Column("wait"), Column("of waits", 1), Column("for", left=True))
_SYSCALLS = (
    Column("time"),
    Column("count", 1),
    Column("errors", 2),
    Column("system call", left=True),
)


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a function, called by that one, waited; `caller` is None where there is none that is
    known."""

    function: int
    caller: int | None
    kind: str
    time: Reading


def waits(recording: Recording, kind: str | None = None) -> list[Wait]:
    """All of them, or those of one class, the longest first."""
    by_caller = _by_caller(recording)
    found = [
        wait
        for function in recording.functions
        for wait in _of(function, by_caller.get(function.index, {}))
        if kind in (None, wait.kind)
    ]
    return sorted(found, key=lambda wait: -(wait.time.ns or 0))


def _by_caller(recording: Recording) -> dict[int, dict[int, Charges]]:
    """What was charged to each function below each caller."""
    rows: dict[tuple[int, int], list[Charges]] = defaultdict(list)
    for thread in recording.threads:
        path = [_NO_CALLER]
        for node, entering in paths(thread.root):
            if not entering:
                path.pop()
                continue
            if node.charges:
                rows[node.function, path[-1]].append(node.charges)
            path.append(node.function)
    sums: dict[int, dict[int, Charges]] = defaultdict(dict)
    for (function, caller), charges in rows.items():
        sums[function][caller] = total(charges)
    return sums


def _of(function: Function, callers: dict[int, Charges]) -> Iterator[Wait]:
    known = dict(callers)
    if rest := (function.charges or NONE) - total(callers.values()):
        known[_UNKNOWN] = rest  # its contexts were given up
    for kind, ns in function.kernel_waits.items():
        found = {caller: it for caller, it in known.items() if it.waits.get(kind)}
        yield from _parted(function, kind, ns, found or dict.fromkeys(function.callers, NONE))
    for kind in () if function.kernel_waits else WAITS:
        for caller, charges in known.items():
            if charges.of(kind):
                yield _wait(function, caller, kind, sampled(charges, kind, function.self_ns))


def _parted(function: Function, kind: str, ns: int, callers: dict[int, Charges]) -> Iterator[Wait]:
    """What the kernel has counted, to the callers: exactly where there is one, else as sampled."""
    whole = sum(charges.waits.get(kind, 0) for charges in callers.values())
    if len(callers) == 1 or not whole:
        caller = next(iter(callers)) if len(callers) == 1 else _UNKNOWN
        yield _wait(function, caller, kind, Reading(ns, None))
        return
    for caller, charges in callers.items():
        part = round(ns * charges.waits[kind] / whole)
        yield _wait(function, caller, kind, Reading(part, charges.looks(kind)))


def _wait(function: Function, caller: int, kind: str, time: Reading) -> Wait:
    return Wait(function.index, caller if caller >= 0 else None, kind, time)


def print_waits(console: Console, recording: Recording, kind: str | None, top: int | None) -> None:
    """Print the waits, or those of one class, and the system calls. Raises UserError where nothing
    is known of them."""
    path = recording.path or "the recording"
    if not recording.known & {"cpu", "kernel"}:
        raise UserError(f"{path}: waits were not recorded: no sampler ran, and no --kernel")
    found = waits(recording, kind)
    if not found:
        raise UserError(f"{path}: no function waited{f' for {kind}' if kind else ''} in any look")
    names = Names(recording)
    whole = sum(wait.time.ns or 0 for wait in found)
    rows: list[Row] = [
        (
            (str(it.time), it.time.of(whole), printable(it.kind, 20)),
            _name(names, it),
        )
        for it in found[:top]
    ]
    console.print(table(_WAITS, rows, "function ← caller", console.width, BESIDE))
    if more := len(found) - len(rows):
        console.print(Text(f"{more:,} more waits: --top {len(found)}", "dim"))
    _print_syscalls(console, recording, names, top)


def _name(names: Names, wait: Wait) -> Name:
    name = names.of(wait.function)
    if wait.caller is None:
        return name
    return Name(f"{name.text} ← {names.plain(wait.caller)}", name.beside)


def _print_syscalls(console: Console, recording: Recording, names: Names, top: int | None) -> None:
    calls = [
        (it["ns"], it["count"], it["errors"], name, function.index)
        for function in recording.functions
        for name, it in function.syscalls.items()
    ]
    if not calls:
        return
    calls.sort(reverse=True)
    rows: list[Row] = [
        (
            (duration(ns), number(count), number(errors or None), printable(name, 30)),
            names.of(function),
        )
        for ns, count, errors, name, function in calls[:top]
    ]
    console.print()
    console.print(table(_SYSCALLS, rows, "function", console.width, BESIDE))
    if more := len(calls) - len(rows):
        console.print(Text(f"{more:,} more system calls: --top {len(calls)}", "dim"))
