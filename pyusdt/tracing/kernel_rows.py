# SPDX-License-Identifier: Apache-2.0
"""What the program of --kernel has printed, made into lines of JSON. For each process, one about
the account, and rows:

    {"pid", "why", "losses": {"kernel events in no context": N}}
    {"pid", "tid", "node", "kind", "name", "count", "ns", "bytes", "errors"}

`why` is "" or why the account is not complete. `node` is the index of a node in the tree of the
thread, or -1: in none that is known. `tid` is 0 for what found no room in a map: it is lost, but
the rows of a process add up to what the kernel has done for it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pyusdt.tracing import system_calls
from pyusdt.tracing.kernel_program import (
    OF_FILE,
    OF_SOCKET,
    RUNNABLE,
    TOTALS,
    WRITTEN,
)
from pyusdt.tracing.system_calls import WAITS

_KEYS = ("pid", "tid", "node", "kind", "name", "count", "ns", "bytes", "errors")
_LOST = {
    "SYSCALLS": ("syscall", "other"),
    "OFFCPU": ("offcpu", "other"),
    "FAULTS": ("fault", "minor"),
    "MIGRATIONS": ("migration", ""),
}
"""The rows of what has found no room, by what was counted for the whole process."""
_TIMED = ("syscall", "offcpu")
Map = Mapping[str, Any]
Maps = Mapping[str, Map]


class Row(NamedTuple):
    """What the kernel has counted."""

    pid: int
    tid: int
    node: int
    kind: str
    name: str
    events: int
    ns: int = 0
    n_bytes: int = 0
    errors: int = 0


class Account:
    """The rows of the processes that have run Python, of what bpftrace has printed when it ended.
    It has counted from `on_ns` to `end_ns`, by its clock. Of `pids` it has an account in any
    case."""

    def __init__(self, maps: Maps, on_ns: int, end_ns: int, pids: Iterable[int] = ()) -> None:
        self._maps = maps
        self._on_ns = on_ns
        self._end_ns = end_ns
        self._pids = {*map(int, maps.get("@python", {})), *pids}
        self.rows = list(self._all())
        lost = list(self._lost())
        self.rows += lost
        self._losses = Counter[int]()
        for row in lost:
            self._losses[row.pid] += row.events

    def lines(self, why: str) -> Iterator[str]:
        """What the file has."""
        for pid in self._pids:
            losses = {"kernel events in no context": self._losses[pid]} if self._losses[pid] else {}
            yield json.dumps({"pid": pid, "why": why, "losses": losses})
        for row in self.rows:
            yield json.dumps(dict(zip(_KEYS, row, strict=True)))

    def _all(self) -> Iterator[Row]:
        yield from self._calls()
        yield from self._waits()
        for (pid, tid, node, major), count in self._of("@faults"):
            yield Row(pid, tid, node, "fault", "major" if major else "minor", count)
        for (pid, tid, node, code), (count, total) in self._of("@bytes"):
            yield Row(pid, tid, node, _direction(code), _what(code), count, n_bytes=total)
        sizes = dict(self._of("@block_bytes"))
        for (pid, tid, node), (count, ns) in self._of("@block_ns"):
            yield Row(pid, tid, node, "block", "", count, ns, sizes.get((pid, tid, node), 0))
        for (pid, tid, node), count in self._of("@migrations"):
            yield Row(pid, tid, node, "migration", "", count)

    def _calls(self) -> Iterator[Row]:
        names = system_calls.names()
        errors = dict(self._of("@errors"))
        for (pid, tid, node, number), (count, ns) in self._of("@syscalls"):
            name = names.get(number, str(number))
            failed = errors.get((pid, tid, node, number), 0)
            yield Row(pid, tid, node, "syscall", name, count, ns, errors=failed)

    def _waits(self) -> Iterator[Row]:
        counts, times = Counter[tuple[int, int, int, str]](), Counter[tuple[int, int, int, str]]()
        for (pid, tid, node, code), (count, ns) in (*self._of("@offcpu"), *self._begun()):
            key = pid, tid, node, _reason(code)
            counts[key] += count
            times[key] += ns
        for (pid, tid, node, reason), ns in times.items():
            yield Row(pid, tid, node, "offcpu", reason, counts[pid, tid, node, reason], ns)

    def _begun(self) -> Iterator[tuple[tuple[int, ...], Any]]:
        """Those that go on at the end, some of them only for a CPU."""
        woken = {tid: int(ns) for tid, ns in self._maps.get("@ready", {}).items()}
        for tid, (since, node, code, pid) in self._maps.get("@off", {}).items():
            if pid in self._pids and self._on_ns:
                since = max(since, self._on_ns)
                until = min(max(since, woken.get(tid, self._end_ns)), self._end_ns)
                if since >= self._end_ns:
                    continue
                yield (pid, int(tid), node, code), (1, until - since)
                if tid in woken:
                    yield (pid, int(tid), node, RUNNABLE), (1, max(self._end_ns - until, 0))

    def _lost(self) -> Iterator[Row]:
        """What was counted for the process, and found no room elsewhere."""
        found: Counter[tuple[int, str]] = Counter()
        times: Counter[tuple[int, str]] = Counter()
        for row in self.rows:
            found[row.pid, row.kind] += row.events
            times[row.pid, row.kind] += row.ns
        for (pid, *_), (count, ns) in self._begun():
            found[pid, "offcpu"] -= count
            times[pid, "offcpu"] -= ns
        for (pid, code), (count, ns) in self._of("@totals"):
            kind, name = _LOST.get(TOTALS[code], ("", ""))
            if kind and found[pid, kind] < count:
                missing = ns - times[pid, kind] if kind in _TIMED else 0
                yield Row(pid, 0, -1, kind, name, count - found[pid, kind], max(missing, 0))

    def _of(self, name: str) -> Iterator[tuple[tuple[int, ...], Any]]:
        """What a map has of these processes: its keys as numbers, and of stats() the two that
        matter."""
        for text, value in self._maps.get(name, {}).items():
            key = tuple(map(int, text.split(",")))
            if key[0] in self._pids:
                yield key, (value["count"], value["total"]) if isinstance(value, dict) else value


def _direction(code: int) -> str:
    return "write" if code > WRITTEN else "read"


def _what(code: int) -> str:
    of = code - WRITTEN if code > WRITTEN else code
    return {OF_FILE: "file", OF_SOCKET: "socket"}.get(of, "other")


def _reason(code: int) -> str:
    return WAITS[code - 1] if 0 < code <= len(WAITS) else "other"
