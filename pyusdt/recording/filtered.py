# SPDX-License-Identifier: Apache-2.0
"""What is left of a recording's figures when only some functions are wanted.

What the others had belongs to their nearest wanted caller, as far as the call trees know it:
`pairs` are threads before and after.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from pyusdt.recording import below, held
from pyusdt.recording.charges import NONE, Charges, total
from pyusdt.recording.held import Allocated
from pyusdt.recording.kernel import KernelFigures
from pyusdt.recording.records import Thread
from pyusdt.recording.snapshot import TotalFigures
from pyusdt.recording.tree import TOP, Node, walk

_Key = tuple[int, int, int]  # process, thread, function
_KernelKey = tuple[int, int, int, str, str]
_NO_TOTALS = TotalFigures(0, 0, 0, 0, 0, 0)


def totals(
    figures: Mapping[_Key, TotalFigures],
    pairs: Iterable[tuple[Thread, Thread]],
    chosen: Collection[int],
) -> dict[_Key, TotalFigures]:
    """Those of the chosen functions, with the own time of the others."""
    found = {key: it for key, it in figures.items() if key[2] in chosen}
    for before, after in pairs if found else ():
        for index, self_ns in _taken(before.root, after.root).items():
            key = (after.process, after.index, index)
            known = found.get(key, _NO_TOTALS)
            found[key] = known._replace(self_ns=known.self_ns + self_ns)
    return found


def _taken(before: Node, after: Node) -> Counter[int]:
    """How much own time functions have in the tree `after` that they had not in `before`."""
    taken: Counter[int] = Counter()
    for node, _ in walk(after):
        taken[node.function] += node.self_ns
    for node, _ in walk(before):
        if node.function in taken:
            taken[node.function] -= node.self_ns
    return +taken


def charges(
    figures: Mapping[_Key, Charges],
    pairs: Iterable[tuple[Thread, Thread]],
    chosen: Collection[int],
) -> dict[_Key, Charges]:
    """Where no caller of what was charged is left, or it is not known, the thread has it."""
    found = {key: it for key, it in figures.items() if key[2] in chosen}
    for before, after in pairs:
        if not before.charges:
            continue
        place = after.process, after.index
        had = below.own_of_tree(before.root)
        rest = before.charges
        for index, it in below.own_of_tree(after.root).items():
            key = *place, index
            found[key] = found.get(key, NONE) + (it - had.get(index, NONE))
        rest -= total(it for key, it in found.items() if key[:2] == place and key[2] != TOP)
        found[*place, TOP] = rest
    return {key: it for key, it in found.items() if it}


def kernel(
    figures: Mapping[_KernelKey, KernelFigures], chosen: Collection[int]
) -> dict[_KernelKey, KernelFigures]:
    """What the others have is of no function any more."""
    found: dict[_KernelKey, KernelFigures] = {}
    for (process, thread, index, kind, name), it in figures.items():
        key = process, thread, index if index in chosen else -1, kind, name
        found[key] = found[key].plus(it) if key in found else it
    return found


def memory(
    rows: Iterable[Allocated],
    after: Iterable[Thread],
    chosen: Collection[int],
    is_c: Callable[[int], bool],
) -> list[Allocated]:
    """What is in no tree goes by its function, or else to its thread, which then has it in its tree
    too."""
    threads = {(thread.process, thread.index): thread for thread in after}
    found = []
    for row in rows:
        if row.thread >= 0 and (row.node >= 0 or row.function < 0):
            continue  # a tree has it
        if row.function >= 0 and row.function not in chosen:
            of = row.line_function if row.line_function in chosen else -1
            row = row._replace(function=of)
        if row.line_function not in chosen or row.function < 0:
            row = row._replace(line=0, line_function=-1)
        thread = threads.get(row[:2])
        if thread and row.function < 0:
            thread.root.hold({0: row.figures})
        else:
            found.append(row)
    for place, thread in threads.items():
        found += held.of_tree(*place, thread.root, is_c)
    return found
