# SPDX-License-Identifier: Apache-2.0
"""From what the core has counted since it began to follow, to what one recording is to hold.

The core counts for all who listen, and does not begin anew for each: a recording is the difference
between two of its counts (counts.py), restricted to the functions that are wanted, and added
to what the recording had before.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import add

from pyusdt.recording.counts import Counts
from pyusdt.recording.snapshot import FunctionRow, NodeRow, Snapshot, StepRow

_Key = tuple[int, int]  # serial, node: as the core numbers them
_Place = tuple[int, int]  # thread, node: as the recording does; node -1: above them all
_Figures = list[int]  # calls, resumes, errors, elapsed_ns, self_ns
_ZEROS = (0, 0, 0, 0, 0)


class Totals:
    """The sums of one recording. Threads and nodes keep their numbers for as long as it lives.

    `wanted` tells which functions are: the own time of the others belongs to their nearest wanted
    caller, or to nobody.
    """

    def __init__(self, wanted: Callable[[FunctionRow], bool]) -> None:
        self._wanted = wanted
        self._choice: dict[int, bool] = {}
        self._thread_of: dict[int, int] = {}  # serial -> thread
        self._node_of: dict[tuple[int, int, int], int] = {}  # thread, parent, function -> node
        self._above: dict[_Place, tuple[int, int]] = {}  # place -> parent, function
        self._n_nodes: Counter[int] = Counter()  # of each thread
        self._settled = Snapshot()
        self._last = Snapshot()
        self._steps: list[StepRow] = []  # all of them: they only become more
        self._n_taken = 0  # of the core's, since the last settle

    def update(
        self,
        now: Counts,
        before: Counts,
        functions: Mapping[int, FunctionRow],
        serials: Collection[int] | None = None,
    ) -> Snapshot:
        """The sums with what was counted from `before` until `now`, in threads of those serials."""
        threads = self._sum_threads(now, before, serials)
        nodes = self._sum_nodes(now, before, functions)
        used = {row[3] for row in nodes}
        self._last = Snapshot(
            functions=[functions[number] for number in sorted(used)],
            threads=threads,
            nodes=nodes,
            histograms=self._sum_histograms(now, before, used),
            losses=self._sum_losses(now, before),
            steps=self._add_steps(now, len(before.steps), serials),
        )
        return self._last

    def settle(self) -> None:
        """Keep what the last update added: the next one adds to it."""
        self._settled = self._last
        self._n_taken = 0

    def _sum_threads(
        self, now: Counts, before: Counts, serials: Collection[int] | None
    ) -> list[tuple[int, str, int]]:
        earlier = {row[0]: row[4] for row in before.threads}
        threads = dict(enumerate(self._settled.threads))
        for serial, _, tid, name, ticks in sorted(now.threads):
            # Less than before where a thread has ended since: then its last moments do not count.
            elapsed = max(round((ticks - earlier.get(serial, 0)) * now.ns_per_tick), 0)
            if serials is not None and serial not in serials:
                continue
            if not elapsed and serial not in self._thread_of:
                continue
            thread = self._thread_of.setdefault(serial, len(self._thread_of))
            spent = threads[thread][2] if thread in threads else 0
            threads[thread] = (tid, name, spent + elapsed)
        return [threads[thread] for thread in range(len(self._thread_of))]

    def _sum_nodes(
        self, now: Counts, before: Counts, functions: Mapping[int, FunctionRow]
    ) -> list[NodeRow]:
        sums: dict[_Place, _Figures] = {row[:2]: list(row[4:]) for row in self._settled.nodes}
        earlier = {row[:2]: row[4:] for row in before.nodes}
        nearest: dict[_Key, _Key] = {}  # the context itself, or the wanted one that it is in
        links: dict[_Key, tuple[_Key, int]] = {}  # wanted context -> the one above, function
        places: dict[_Key, _Place] = {}
        for serial, node, parent, function, *counted in now.nodes:
            if serial not in self._thread_of:
                continue
            key, up = (serial, node), (serial, parent)
            owner = nearest.get(up, up)
            wanted = self._is_wanted(function, functions)
            if wanted:
                links[key] = owner, function
                owner = key
            nearest[key] = owner
            if owner[1] < 0:
                continue
            figures = _difference(counted, earlier.get(key), now.ns_per_tick)
            if not any(figures):
                continue
            place = places.get(owner) or self._place(owner, links, places)
            known = sums.get(place)
            if not wanted:
                figures = [0, 0, 0, 0, figures[4]]
            sums[place] = figures if known is None else list(map(add, known, figures))
        return [
            (thread, node, parent, function, *sums.get((thread, node), _ZEROS))
            for (thread, node), (parent, function) in self._above.items()
        ]

    def _is_wanted(self, function: int, functions: Mapping[int, FunctionRow]) -> bool:
        choice = self._choice.get(function)
        if choice is None:
            choice = self._choice[function] = self._wanted(functions[function])
        return choice

    def _place(
        self, key: _Key, links: Mapping[_Key, tuple[_Key, int]], places: dict[_Key, _Place]
    ) -> _Place:
        """Where the recording has this context; it and those above it are made if need be."""
        chain = []
        while key[1] >= 0 and key not in places:
            chain.append(key)
            key = links[key][0]
        thread, node = places[key] if key[1] >= 0 else (self._thread_of[key[0]], -1)
        for key in reversed(chain):
            node = self._node(thread, node, links[key][1])
            places[key] = thread, node
        return thread, node

    def _node(self, thread: int, parent: int, function: int) -> int:
        node = self._node_of.get((thread, parent, function))
        if node is None:
            node = self._n_nodes[thread]
            self._n_nodes[thread] += 1
            self._node_of[thread, parent, function] = node
            self._above[thread, node] = parent, function
        return node

    def _sum_histograms(
        self, now: Counts, before: Counts, used: Collection[int]
    ) -> list[tuple[int, int, int]]:
        sums = Counter({row[:2]: row[2] for row in self._settled.histograms})
        for sign, rows in ((1, now.histograms), (-1, before.histograms)):
            for serial, function, bucket, count in rows:
                # A frame that its thread's end left open may be closed much later: an end alone.
                if serial in self._thread_of and function in used:
                    sums[function, bucket] += sign * count
        # A bucket that is full halves its histogram (src/histogram.h): then less may be left.
        return [(*key, count) for key, count in sums.items() if count > 0]

    def _add_steps(
        self, now: Counts, n_before: int, serials: Collection[int] | None
    ) -> list[StepRow]:
        """All steps and marks; those that are new since the last time are behind the others."""
        idents = {row[1] for row in now.threads if serials is not None and row[0] in serials}
        for ident, name, start, elapsed, value in now.steps[n_before + self._n_taken :]:
            self._n_taken += 1
            if serials is not None and ident not in idents:
                continue
            kind = "mark" if elapsed is None else "step"
            start_ns = max(now.now_ns - round((now.now - start) * now.ns_per_tick), 0)
            elapsed_ns = None if elapsed is None else round(elapsed * now.ns_per_tick)
            self._steps.append((name, kind, len(self._steps), start_ns, elapsed_ns, value))
        return self._steps

    def _sum_losses(self, now: Counts, before: Counts) -> dict[str, int]:
        sums = Counter(self._settled.losses)
        sums.update(now.losses)
        sums.subtract(before.losses)
        return {name: count for name, count in sums.items() if count > 0}


def _difference(now: _Figures, before: Sequence[int] | None, ns_per_tick: float) -> _Figures:
    if before is not None:
        now = [max(a - b, 0) for a, b in zip(now, before, strict=True)]
    calls, resumes, errors, elapsed, own = now
    return [calls, resumes, errors, round(elapsed * ns_per_tick), round(own * ns_per_tick)]
