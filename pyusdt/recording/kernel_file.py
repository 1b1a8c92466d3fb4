# SPDX-License-Identifier: Apache-2.0
"""The kernel's account as the tracer leaves it in the directory of a run, until it is a part of the
recording."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from json import loads
from typing import Any, NamedTuple

from pyusdt.files import open_regular
from pyusdt.recording.kernel import KINDS, KernelFigures, KernelRow
from pyusdt.recording.snapshot import Snapshot
from pyusdt.rundir import KEEPER, KERNEL_ROWS
from pyusdt.system import os

_LARGEST = 1 << 60
_MOST_BYTES = 1 << 30


class CountedByKernel(NamedTuple):
    """A row as the tracer leaves it: the context is known by the thread's tid and its index."""

    tid: int
    node: int
    """Its index, 0 for the thread itself; -1: none that is known."""
    kind: str
    name: str
    events: int
    ns: int
    n_bytes: int
    errors: int


class OfProcess:
    """What the tracer has left of one process."""

    def __init__(self) -> None:
        self.rows: list[CountedByKernel] = []
        self.why = ""
        """Why that is not all, where it is not."""
        self.losses: dict[str, int] = {}

    def note(self, snapshot: Snapshot) -> None:
        """Have the snapshot of the process say how much of that it is."""
        snapshot.kernel = self.why
        snapshot.losses |= self.losses


def read(directory: int) -> dict[int, OfProcess]:
    """What the tracer has left in an open directory, by pid; nothing where there is none."""
    with suppress(OSError), open_regular(KERNEL_ROWS, directory) as file:
        if os.fstat(file.fileno()).st_size <= _MOST_BYTES:
            return parse(file)
    return {}


def is_awaited(directory: int) -> bool:
    """Whether there is a tracer that has not left it yet."""
    errors = OSError, ValueError, TypeError, LookupError
    with suppress(*errors), open_regular(KEEPER, directory) as file:
        return os.path.exists(f"/proc/{int(loads(file.read(100))[0])}")
    return False


def parse(lines: Iterable[bytes]) -> dict[int, OfProcess]:
    """What is in the lines of that file, by pid: a JSON object each, either a row, or, without a
    kind, about a process: pid, why, losses. What no tracer writes is left out, and they say so."""
    found: dict[int, OfProcess] = {}
    damaged = 0
    for line in lines:
        try:
            _add(found, loads(line))
        except (ValueError, RecursionError):
            damaged += 1
    for process in found.values() if damaged else ():
        process.why = process.why or f"{damaged} lines of it are damaged"
    return found


def _add(found: dict[int, OfProcess], it: object) -> None:
    if not isinstance(it, dict):
        raise ValueError("a line is no object")
    pid = _number(it, "pid", 1)
    if "kind" in it:
        row = _row(it)
        found.setdefault(pid, OfProcess()).rows.append(row)
        return
    losses = it.get("losses", {})
    if not isinstance(losses, dict):
        raise ValueError("losses are no object")
    counted = {str(name): _number(losses, name) for name in losses}
    process = found.setdefault(pid, OfProcess())
    process.why = str(it.get("why", "")) or process.why
    process.losses |= counted


def _row(it: dict[str, Any]) -> CountedByKernel:
    if it["kind"] not in KINDS:
        raise ValueError("a kind that is none")
    return CountedByKernel(
        tid=_number(it, "tid"),
        node=_number(it, "node", -1),
        kind=it["kind"],
        name=str(it.get("name", "")),
        events=_number(it, "count"),
        ns=_number(it, "ns"),
        n_bytes=_number(it, "bytes"),
        errors=_number(it, "errors"),
    )


def _number(it: dict[str, Any], key: str, least: int = 0) -> int:
    value = it.get(key, 0)
    if type(value) is not int or not least <= value <= _LARGEST:
        raise ValueError(f"{key} is no number from {least} on")
    return value


def joined(
    rows: Sequence[CountedByKernel],
    tids: Iterable[tuple[int, int]],
    find: Callable[[tuple[int, int]], tuple[int, int, int]],
) -> list[KernelRow]:
    """The rows in the recording's terms, with what comes to the same place summed. `tids` are pairs
    of a thread's tid and its serial, in the order of their starts; `find` gives thread, node and
    function by serial and index, -1 for what is not known. A tid may be used again: the last thread
    with it that has such a context is taken."""
    serials: dict[int, list[int]] = {}
    for tid, serial in tids if rows else ():
        serials.setdefault(tid, []).insert(0, serial)
    sums: dict[tuple[int, int, int, str, str], KernelFigures] = {}
    for row in rows:
        places = [find((serial, row.node)) for serial in serials.get(row.tid, ())]
        known = [place for place in places if place[1] >= 0] or places or [(-1, -1, -1)]
        key = *known[0], row.kind, row.name
        figures = KernelFigures(*row[4:])
        sums[key] = sums[key].plus(figures) if key in sums else figures
    return [KernelRow(*key, *figures) for key, figures in sums.items()]
