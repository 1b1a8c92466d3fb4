# SPDX-License-Identifier: Apache-2.0
"""From what the core has counted since it began, to what one recording is to hold.

The core counts for all recordings at once: a recording is the difference between two of its counts
(counts.py), restricted to the functions that are wanted, and added to what it had before.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from operator import add

from pyusdt.recording import aging, allocated, hit, treerows
from pyusdt.recording.charges import ChargeRow
from pyusdt.recording.counts import THREAD_ITSELF, CountedCharge, Counts
from pyusdt.recording.histogram import by_key, in_ns, since
from pyusdt.recording.kernel_file import CountedByKernel, joined
from pyusdt.recording.snapshot import (
    Figures,
    FunctionRow,
    HistogramRow,
    NodeRow,
    Snapshot,
    StepRow,
    ThreadRow,
    TotalFigures,
    TotalRow,
)

_Key = tuple[int, int]  # serial, node: as the core numbers them
_Place = tuple[int, int]  # thread, node: as the recording does; node -1: above them all
_Part = tuple[int, int]  # thread, function
_NO_FUNCTION = -1
_ZEROS = Figures(0, 0, 0, 0, 0)
_NO_TOTALS = TotalFigures(0, 0, 0, 0, 0, 0)
_NO_KERNEL: Sequence[CountedByKernel] = ()


class _Contexts:
    """How those that the core counts become those of the recording."""

    def __init__(self) -> None:
        self.nearest: dict[_Key, _Key] = {}  # the context itself, or the wanted one that it is in
        self.links: dict[_Key, tuple[_Key, int]] = {}  # wanted context -> the one above, function
        self.places: dict[_Key, _Place] = {}


class Totals:
    """The sums of one recording. Threads and nodes keep their numbers for as long as it lives.

    `wanted` is a predicate of functions: the own time of the others belongs to their nearest wanted
    caller, or to none.
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

    def want(self, wanted: Callable[[FunctionRow], bool]) -> None:
        """From now on, restrict to other functions."""
        self._wanted = wanted
        self._choice = {}

    def update(
        self,
        now: Counts,
        before: Counts,
        functions: Mapping[int, FunctionRow],
        serials: Collection[int] | None = None,
        kernel: Sequence[CountedByKernel] = _NO_KERNEL,
    ) -> Snapshot:
        """The sums with what was counted from `before` until `now`, in threads of those serials.
        The kernel's account of the process comes with the last update."""
        wanted = partial(self._is_wanted, functions=functions)
        threads = self._sum_threads(now, before, serials)
        taken: Counter[_Part] = Counter()
        contexts = _Contexts()
        nodes = self._sum_nodes(now, before, functions, taken, contexts)
        totals = self._sum_totals(now, before, functions, taken)
        charges, new = self._sum_charges(now, before, functions, contexts)
        was = self._settled
        lines = hit.summed(was.lines, now, before, self._thread_of, wanted)
        places = self._memory_places(now, functions, contexts)
        memory = allocated.summed(was.memory, now, before, places)
        living = aging.living(was.living, now, before, places)
        growth = aging.growth(was.growth, now, places)
        if now.times_sampled:
            self._add_times(new, nodes, totals)
        of_kernel = joined(
            kernel,
            ((row.tid, row.serial) for row in sorted(now.threads)),
            lambda key: self._known(key, contexts),
        )
        used = {function for _, function in self._above.values()}
        used |= {function for _, function in totals} | {row.function for row in charges}
        used |= {row.function for row in of_kernel} | {row.function for row in lines}
        used |= allocated.functions_of(memory, living, growth)
        used.discard(_NO_FUNCTION)
        self._last = Snapshot(
            functions=[functions[number] for number in sorted(used)],
            threads=threads,
            nodes=[
                NodeRow(thread, node, parent, function, *nodes.get((thread, node), _ZEROS))
                for (thread, node), (parent, function) in self._above.items()
            ],
            histograms=[] if now.times_sampled else self._sum_histograms(now, before, used),
            losses=self._sum_losses(now, before),
            steps=self._add_steps(now, len(before.steps), serials),
            totals=[TotalRow(*part, *figures) for part, figures in totals.items()],
            charges=charges,
            lines=lines,
            memory=memory,
            living=living,
            points=aging.points(was.points, now),
            growth=growth,
            resident=allocated.resident(was.resident, now, before),
            memory_kinds=now.memory_kinds or was.memory_kinds,
            sampled=(now.sampled or not now.threads) and (was.sampled or not was.threads),
            times="sampled" if now.times_sampled else was.times,
            kernel_rows=of_kernel,
        )
        return self._last

    def settle(self) -> None:
        """Keep what the last update added: the next one adds to it."""
        self._settled = self._last
        self._n_taken = 0

    def serials(self) -> list[int]:
        """Those of the threads, in the order of theirs."""
        return list(self._thread_of)

    def _sum_threads(
        self, now: Counts, before: Counts, serials: Collection[int] | None
    ) -> list[ThreadRow]:
        earlier = {row.serial: row.elapsed for row in before.threads}
        threads = dict(enumerate(self._settled.threads))
        for row in sorted(now.threads):
            serial = row.serial
            # Less than before where a thread has ended since: then its last moments do not count.
            elapsed = max(round((row.elapsed - earlier.get(serial, 0)) * now.ns_per_tick), 0)
            if serials is not None and serial not in serials:
                continue
            if not elapsed and serial not in self._thread_of:
                continue
            thread = self._thread_of.setdefault(serial, len(self._thread_of))
            spent = threads[thread].elapsed_ns if thread in threads else 0
            threads[thread] = ThreadRow(row.tid, row.name, spent + elapsed)
        # One that is gone since the last update keeps what it had then.
        known = dict(enumerate(self._last.threads)) | threads
        return [known[thread] for thread in range(len(self._thread_of))]

    def _sum_nodes(
        self,
        now: Counts,
        before: Counts,
        functions: Mapping[int, FunctionRow],
        taken: Counter[_Part],
        contexts: _Contexts,
    ) -> dict[_Place, Figures]:
        """Add to `taken` what functions get of the own time of unwanted ones."""
        sums = {row.place: Figures._make(row.figures) for row in self._settled.nodes}
        earlier = {row.key: row.ticks for row in before.nodes}
        nearest, links = contexts.nearest, contexts.links
        for row in now.nodes:
            if row.serial not in self._thread_of:
                continue
            key, up = row.key, (row.serial, row.parent)
            owner = nearest.get(up, up)
            wanted = self._is_wanted(row.function, functions)
            if wanted:
                links[key] = owner, row.function
                owner = key
            nearest[key] = owner
            if owner[1] < 0:
                continue
            figures = _difference(row.ticks, earlier.get(key), now.ns_per_tick)
            if not any(figures):
                continue
            place = contexts.places.get(owner) or self._place(owner, contexts)
            known = sums.get(place)
            if not wanted:
                figures = _ZEROS._replace(self_ns=figures.self_ns)
                taken[place[0], links[owner][1]] += figures.self_ns
            sums[place] = figures if known is None else Figures(*map(add, known, figures))
        return sums

    def _sum_totals(
        self,
        now: Counts,
        before: Counts,
        functions: Mapping[int, FunctionRow],
        taken: Counter[_Part],
    ) -> dict[_Part, TotalFigures]:
        sums = {row[:2]: TotalFigures._make(row.figures) for row in self._settled.totals}
        earlier = {row.key: row.ticks for row in before.totals}
        for row in now.totals:
            thread = self._thread_of.get(row.serial)
            if thread is None or not self._is_wanted(row.function, functions):
                continue
            figures = _difference_of_totals(row.ticks, earlier.get(row.key), now.ns_per_tick)
            if any(figures):
                known = sums.get((thread, row.function), _NO_TOTALS)
                sums[thread, row.function] = TotalFigures(*map(add, known, figures))
        for part, self_ns in taken.items() if now.totals else ():
            known = sums.get(part, _NO_TOTALS)
            sums[part] = known._replace(self_ns=known.self_ns + self_ns)
        return sums

    def _sum_charges(
        self,
        now: Counts,
        before: Counts,
        functions: Mapping[int, FunctionRow],
        contexts: _Contexts,
    ) -> tuple[list[ChargeRow], list[ChargeRow]]:
        """All of them, and those since `before`. The nearest wanted caller of an unwanted function
        is charged, or else the thread."""
        earlier = {row.key: row[6:] for row in before.charges}
        new = []
        for row in now.charges:
            if row.serial not in self._thread_of:
                continue
            samples, ns = _since(row[6:], earlier.get(row.key))
            if samples or ns:
                place = self._charged(row, functions, contexts)
                line = row.line if place[2] == row.function else 0
                new.append(ChargeRow(*place, row.kind, row.syscall, samples, ns, line))
        sums: dict[tuple[int, int, int, str, int, int], tuple[int, int]] = {}
        for charge in (*self._settled.charges, *new):
            key = *charge[:5], charge.line
            known = sums.get(key, (0, 0))
            sums[key] = known[0] + charge.samples, known[1] + charge.ns
        return [ChargeRow(*key[:5], *figures, key[5]) for key, figures in sums.items()], new

    def _memory_places(
        self, now: Counts, functions: Mapping[int, FunctionRow], contexts: _Contexts
    ) -> allocated.Places:
        def place_of(row: allocated.Counted) -> tuple[int, int, int] | None:
            if not row.serial:
                return -1, -1, _NO_FUNCTION
            known = row.serial in self._thread_of
            return self._charged(row, functions, contexts) if known else None

        wanted = partial(self._is_wanted, functions=functions)
        return allocated.Places(functions, wanted, place_of, allocated.callers(now))

    def _charged(
        self,
        row: CountedCharge | allocated.Counted,
        functions: Mapping[int, FunctionRow],
        contexts: _Contexts,
    ) -> tuple[int, int, int]:
        """Thread, node and function that the recording charges."""
        found = self._known((row.serial, row.node), contexts)
        if found[1] >= 0:
            return found
        given_up = row.function != THREAD_ITSELF and (row.serial, row.node) not in contexts.nearest
        if given_up and self._is_wanted(row.function, functions):
            return found[0], -1, row.function
        return found

    def _known(self, key: _Key, contexts: _Contexts) -> tuple[int, int, int]:
        """Thread, node and function of the recording that stand for a context of the core's; -1 for
        what is not known."""
        thread = self._thread_of.get(key[0], -1)
        owner = contexts.nearest.get(key)
        if thread < 0 or owner is None or owner[1] < 0:
            return thread, -1, _NO_FUNCTION
        place = contexts.places.get(owner) or self._place(owner, contexts)
        return *place, contexts.links[owner][1]

    def _add_times(
        self,
        charges: Sequence[ChargeRow],
        nodes: dict[_Place, Figures],
        totals: dict[_Part, TotalFigures],
    ) -> None:
        """Add what was charged as times: no clock was read."""
        own: dict[int, Counter[int]] = {}
        treerows.add_own(charges, totals)
        for row in charges:
            if row.node >= 0:
                own.setdefault(row.thread, Counter())[row.node] += row.ns
        for thread, times in own.items():
            charged = treerows.Charged(times, partial(self._above_of, thread))
            for node, ns in charged.elapsed.items():
                known = nodes.get((thread, node), _ZEROS)
                nodes[thread, node] = known._replace(
                    elapsed_ns=known.elapsed_ns + ns, self_ns=known.self_ns + times[node]
                )
            treerows.add_totals(thread, charged, totals)

    def _above_of(self, thread: int, node: int) -> tuple[int, int]:
        return self._above[thread, node]

    def _is_wanted(self, function: int, functions: Mapping[int, FunctionRow]) -> bool:
        choice = self._choice.get(function)
        if choice is None:
            choice = self._choice[function] = self._wanted(functions[function])
        return choice

    def _place(self, key: _Key, contexts: _Contexts) -> _Place:
        """Where the recording has this context; it and those above it are made if need be."""
        links, places = contexts.links, contexts.places
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
    ) -> list[HistogramRow]:
        settled = self._settled.histograms
        sums = Counter({(row.function, row.ns, row.kind): row.calls for row in settled})
        earlier, latest = (
            by_key((row.histogram, row.ticks, row.calls) for row in of.histograms)
            for of in (before, now)
        )
        for (serial, function, kind), counts in latest.items():
            # A frame that its thread's end left open may be closed much later: an end alone.
            if serial not in self._thread_of or function not in used:
                continue
            counts = since(counts, earlier.get((serial, function, kind), {}))
            for ticks, calls in counts.items():
                sums[function, in_ns(ticks, now.ns_per_tick), kind] += calls
        return [
            HistogramRow(function, ns, calls, kind) for (function, ns, kind), calls in sums.items()
        ]

    def _add_steps(
        self, now: Counts, n_before: int, serials: Collection[int] | None
    ) -> list[StepRow]:
        """All steps and marks; those that are new since the last time are behind the others."""
        idents = {t.ident for t in now.threads if serials is not None and t.serial in serials}
        for number in range(n_before + self._n_taken, len(now.steps)):
            step = now.steps[number]
            self._n_taken += 1
            if serials is not None and step.ident not in idents:
                continue
            elapsed = step.elapsed
            self._steps.append(
                StepRow(
                    name=step.name,
                    kind="mark" if elapsed is None else "step",
                    sequence=len(self._steps),
                    start_ns=max(now.now_ns - round((now.now - step.start) * now.ns_per_tick), 0),
                    elapsed_ns=None if elapsed is None else round(elapsed * now.ns_per_tick),
                    value=step.value,
                    memory=now.step_memory.get(number),
                )
            )
        return self._steps

    def _sum_losses(self, now: Counts, before: Counts) -> dict[str, int]:
        sums = Counter(self._settled.losses)
        sums.update(now.losses)
        sums.subtract(before.losses)
        return {name: count for name, count in sums.items() if count > 0}


def _difference(now: Sequence[int], before: Sequence[int] | None, ns_per_tick: float) -> Figures:
    calls, resumes, errors, elapsed, own = _since(now, before)
    return Figures(calls, resumes, errors, round(elapsed * ns_per_tick), round(own * ns_per_tick))


def _difference_of_totals(
    now: Sequence[int], before: Sequence[int] | None, ns_per_tick: float
) -> TotalFigures:
    calls, primitive, resumes, errors, total, own = _since(now, before)
    times = round(total * ns_per_tick), round(own * ns_per_tick)
    return TotalFigures(calls, primitive, resumes, errors, *times)


def _since(now: Sequence[int], before: Sequence[int] | None) -> Sequence[int]:
    if before is None:
        return now
    return [max(a - b, 0) for a, b in zip(now, before, strict=True)]
