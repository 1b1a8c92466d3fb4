# SPDX-License-Identifier: Apache-2.0
"""From what was recorded to what reports show: every format gets the same."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from pyusdt.recording import CodeRecord, Node, Recording, Thread
from pyusdt.recording.charges import Charges, total
from pyusdt.recording.held import Allocated, in_no_context
from pyusdt.recording.memory import total as held_at_all
from pyusdt.recording.model import GIVEN_UP
from pyusdt.recording.snapshot import TotalFigures
from pyusdt.recording.tree import TOP, merged, paths

OTHERS = CodeRecord("", "(others)", "(others)", "", 0)
"""Stands for the calls whose contexts there was no memory for, below what called them."""

_NUMBERED = re.compile(r"(.*?)\d+( \(.*\))?", re.DOTALL)  # worker-1, Thread-1 (work)
_ROUNDING_NS = 2
_LEAST_SHARE = 0.001

_Key = tuple[int, int, int]  # process, thread, function
_Totals = dict[_Key, TotalFigures]


def shown(recording: Recording, *, split_threads: bool = False, trees: bool = True) -> Recording:
    """What a report shows of `recording`, whose trees may be changed: without the frames that only
    start a program, threads of one name as one unless they are to be split, and with "(others)" in
    the place of contexts that were given up. A report without `trees` needs none of these."""
    if not trees and recording.totals:
        return _without_starters_in_totals(recording)
    recording = _without_starters(recording)
    if not split_threads:
        recording = _of_one_name(recording)
    return _with_others(recording)


def _without_starters(recording: Recording) -> Recording:
    """Programs run below frames of runpy or of our script, which began before the recording did."""
    starters = {i for i, record in enumerate(recording.records) if _starts(record)}
    dropped: set[tuple[int, int, int]] = set()
    threads = []
    for thread in recording.threads:
        root = thread.root
        while root.children and all(_is_starter(n, starters) for n in root.children):
            dropped.update((thread.process, thread.index, n.function) for n in root.children)
            below = [child for node in root.children for child in node.children]
            own = total(node.charges for node in (root, *root.children))
            starting = [node.memory for node in root.children if node.memory]
            root = Node(counts=thread.root.counts, charges=own or None, held=root.held)
            root.hold({0: held_at_all(starting)} if starting else None)
            root.children = below
        threads.append(replace(thread, tree=root) if root is not thread.root else thread)
    if not dropped:
        return recording
    totals = {
        key: figures
        for key, figures in recording.totals.items()
        if key not in dropped or figures.calls or figures.resumes
    }
    gone = dropped.difference(totals)
    charges = _moved(recording.charges, lambda key: (*key[:2], TOP) if key in gone else key)
    memory = _of_threads(recording.memory, gone)
    return replace(recording, threads=threads, totals=totals, charges=charges, memory=memory)


def _without_starters_in_totals(recording: Recording) -> Recording:
    """The same by what functions have: no tree is looked at."""
    records = recording.records
    totals = {
        key: figures
        for key, figures in recording.totals.items()
        if not _starts(records[key[2]]) or figures.calls or figures.resumes
    }
    gone = recording.totals.keys() - totals.keys()
    return replace(recording, totals=totals, memory=_of_threads(recording.memory, gone))


def _of_threads(rows: Iterable[Allocated], gone: Collection[_Key]) -> list[Allocated]:
    """The rows, in which what those functions have is of no function any more."""
    return [
        row._replace(node=-1, function=-1, line=0, line_function=-1)
        if (row.process, row.thread, row.function) in gone
        else row
        for row in rows
    ]


def _moved(
    charges: Mapping[_Key, Charges], place: Callable[[_Key], _Key]
) -> Mapping[_Key, Charges]:
    """The charges in other places; those that are in one place then are summed."""
    moved: dict[_Key, Charges] = {}
    for key, it in charges.items():
        to = place(key)
        moved[to] = moved[to] + it if to in moved else it
    return moved


def _starts(record: CodeRecord) -> bool:
    """`python -m pyusdt` is run by runpy, `pyusdt` is a script that pip has made."""
    if record.module == "runpy":
        return True
    script = record.file.rpartition("/")[2] == "pyusdt"
    return script and (record.module, record.name) == ("__main__", "<module>")


def _is_starter(node: Node, starters: set[int]) -> bool:
    return node.function in starters and not node.calls and not node.resumes


def _of_one_name(recording: Recording) -> Recording:
    """Threads whose names differ in a number, or not at all, become one, in each process."""
    groups: dict[tuple[int, str, str], list[Thread]] = {}
    for thread in recording.threads:
        numbered = _NUMBERED.fullmatch(thread.name)
        name = f"{numbered[1]}*{numbered[2] or ''}" if numbered else thread.name
        own = "" if name else str(thread.index)  # what has no name is not of one name
        groups.setdefault((thread.process, name, own), []).append(thread)
    if len(groups) == len(recording.threads):
        return recording
    threads = [_as_one(name, group) for (_, name, _), group in groups.items()]
    place = {(t.process, t.index): g[0].index for g in groups.values() for t in g}
    totals: _Totals = {}
    for (process, thread_index, function), figures in recording.totals.items():
        key = process, place.get((process, thread_index), thread_index), function
        totals[key] = _sum(totals[key], figures) if key in totals else figures
    charges = _moved(recording.charges, lambda key: (key[0], place.get(key[:2], key[1]), key[2]))
    memory = [row._replace(thread=place.get(row[:2], row.thread)) for row in recording.memory]
    return replace(recording, threads=threads, totals=totals, charges=charges, memory=memory)


def _as_one(name: str, threads: list[Thread]) -> Thread:
    if len(threads) == 1:
        return threads[0]
    longest = max(thread.elapsed_ns for thread in threads)
    root = merged(thread.root for thread in threads)
    same = {thread.name for thread in threads}
    label = name if len(same) > 1 else threads[0].name
    count = sum(thread.count for thread in threads)
    known = [thread.charges for thread in threads if thread.charges is not None]
    charges = total(known) if known else None
    return replace(
        threads[0], name=label, elapsed_ns=longest, tree=root, count=count, charges=charges
    )


def _sum(a: TotalFigures, b: TotalFigures) -> TotalFigures:
    return TotalFigures(*(x + y for x, y in zip(a, b, strict=True)))


def _with_others(recording: Recording) -> Recording:
    """With a node "(others)" below each context that has time in no context of its own, and one at
    the top for memory of such contexts. Older recordings, without totals, have one such node at the
    top, as it was recorded."""
    if not recording.totals or GIVEN_UP not in recording.losses:
        return recording
    records = recording.records
    if OTHERS not in records:
        records = [*records, OTHERS]
    index = records.index(OTHERS)
    totals = dict(recording.totals)
    given_up = in_no_context(recording.memory)
    for thread in recording.threads:
        given_up_ns = _add_others(thread.root, index)
        memory = given_up.get((thread.process, thread.index))
        if memory:
            _others_of(thread.root, index).held = {0: memory}
        if given_up_ns or memory:
            key = thread.process, thread.index, index
            rest = _rest(thread, recording.totals)
            totals[key] = TotalFigures(0, 0, 0, 0, given_up_ns, rest)
    return replace(recording, records=records, totals=totals)


def _add_others(root: Node, index: int) -> int:
    """Add the nodes; return their time, with that of those that are there."""
    found: list[tuple[Node, int]] = []
    known_ns = 0
    for node, entering in paths(root):
        if not entering:
            continue
        if node.function == index:
            known_ns += node.elapsed_ns
            continue
        gap = node.elapsed_ns - node.self_ns - sum(child.elapsed_ns for child in node.children)
        if gap > _ROUNDING_NS + len(node.children):
            found.append((node, gap))
    for node, gap in found:
        node.children.append(Node(index, (0, 0, 0, gap, gap)))
    return known_ns + sum(gap for _, gap in found)


def _others_of(node: Node, index: int) -> Node:
    """The one below `node`."""
    for child in node.children:
        if child.function == index:
            return child
    node.children.append(Node(index))
    return node.children[-1]


def _rest(thread: Thread, totals: Mapping[tuple[int, int, int], TotalFigures]) -> int:
    """The time that the tree has and no function: that of functions which filters left out."""
    place = thread.process, thread.index
    whole = sum(node.elapsed_ns for node in thread.root.children)
    rest = whole - sum(figures.self_ns for key, figures in totals.items() if key[:2] == place)
    return rest if rest > whole * _LEAST_SHARE else 0
