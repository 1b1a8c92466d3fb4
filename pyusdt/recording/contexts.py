# SPDX-License-Identifier: Apache-2.0
"""Calling contexts as the bytes of counts have them, found by their numbers without an object for
each."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

from pyusdt.recording import treerows
from pyusdt.recording.allocated import Counted, Places
from pyusdt.recording.charges import ChargeRow
from pyusdt.recording.counts import (
    NODE,
    THREAD_ITSELF,
    CountedCharge,
)
from pyusdt.recording.snapshot import FunctionRow, Snapshot, TotalFigures, TotalRow

_NO_FUNCTION = -1
_WORDS = NODE.size // 4
_NO_TOTALS = TotalFigures(0, 0, 0, 0, 0, 0)


class _OfThread:
    """The nodes of one thread, in the order of their numbers."""

    def __init__(self, rows: memoryview) -> None:
        words = rows.cast("I")
        self._numbers = words[1::_WORDS]
        self._parents = rows.cast("i")[2::_WORDS]
        self._functions = words[3::_WORDS]
        self._first = self._numbers[0]

    def find(self, node: int) -> int:
        """The place of a node; -1: it is not there."""
        numbers = self._numbers
        place = node - self._first
        if 0 <= place < len(numbers) and numbers[place] == node:
            return place  # as almost always: none is left out
        place = bisect_left(numbers, node)
        return place if place < len(numbers) and numbers[place] == node else -1

    def function(self, node: int) -> int:
        """That of a node, or -1."""
        place = self.find(node)
        return self._functions[place] if place >= 0 else -1

    def above(self, node: int) -> tuple[int, int]:
        """The node above, or -1, and the function. Raises ValueError where there is none."""
        place = self.find(node)
        if place < 0:
            raise ValueError("a calling context in none that is known")
        return self._parents[place], self._functions[place]


class Contexts:
    """Those of all threads. `threads` are by serial, and `rows` their nodes."""

    def __init__(self, threads: Mapping[int, int], rows: Mapping[int, memoryview]) -> None:
        self._threads = threads
        self._of = {threads[serial]: _OfThread(some) for serial, some in rows.items()}

    def find(self, key: tuple[int, int]) -> tuple[int, int, int]:
        """Thread, node and function of a serial and a node's number; -1 for what is not there."""
        thread = self._threads.get(key[0], -1)
        of = self._of.get(thread)
        function = -1 if of is None else of.function(key[1])
        return thread, -1 if function < 0 else key[1], function

    def charges(self, rows: Iterable[CountedCharge]) -> list[ChargeRow]:
        """The charges of these threads."""
        sums: dict[tuple[int, int, int, str, int, int], tuple[int, int]] = {}
        for serial, number, function, kind, syscall, line, samples, ns in rows:
            thread = self._threads.get(serial, -1)
            if thread < 0:
                continue
            of = self._of.get(thread)
            node = number
            if of is None or of.find(number) < 0:
                node, function = -1, function if function != THREAD_ITSELF else _NO_FUNCTION
            key = thread, node, function, kind, syscall, line
            if key in sums:
                samples, ns = sums[key][0] + samples, sums[key][1] + ns
            sums[key] = samples, ns
        return [ChargeRow(*key[:5], *figures, key[5]) for key, figures in sums.items()]

    def memory(self, functions: Mapping[int, FunctionRow]) -> Places:
        """Where these threads have allocated, and where none of Python's has."""
        return Places(functions, lambda _: True, self._allocated_at, self._caller_of)

    def _allocated_at(self, row: Counted) -> tuple[int, int, int] | None:
        thread, node, function = self.find((row.serial, row.node))
        if row.serial and thread < 0:
            return None
        if node < 0 and row.function != THREAD_ITSELF:
            function = row.function
        return thread, node, function

    def _caller_of(self, row: Counted) -> int:
        of = self._of.get(self._threads.get(row.serial, -1))
        if of is None or of.find(row.node) < 0:
            return _NO_FUNCTION
        return of.function(of.above(row.node)[0])

    def times(self, snapshot: Snapshot) -> dict[int, tuple[dict[int, int], dict[int, int]]]:
        """By thread: the elapsed and the own ns of nodes, which are what was charged. They go into
        the totals of the snapshot, too."""
        totals = {row[:2]: row.figures for row in snapshot.totals}
        figures = {key: TotalFigures(*some) for key, some in totals.items()}
        own: dict[int, Counter[int]] = {}
        for row in snapshot.charges:
            if row.node >= 0:
                own.setdefault(row.thread, Counter())[row.node] += row.ns
        treerows.add_own(snapshot.charges, figures)
        times = {}
        for thread, some in own.items():
            charged = treerows.Charged(some, self._of[thread].above)
            treerows.add_totals(thread, charged, figures)
            times[thread] = charged.elapsed, dict(some)
        snapshot.totals = [TotalRow(*key, *some) for key, some in figures.items()]
        return {thread: times.get(thread, ({}, {})) for thread in self._of}
