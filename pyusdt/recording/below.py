# SPDX-License-Identifier: Apache-2.0
"""What functions were charged with all that they called, and what they spent in C functions."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from pyusdt.recording.charges import Charges, total
from pyusdt.recording.tree import Node, paths

_Sums = dict[tuple[str, int], tuple[int, int]]
_ROUNDING_NS = 2


def with_callees(own: Mapping[int, Charges], roots: Iterable[Node]) -> dict[int, Charges]:
    """By function; recursion counts once. What `own` has beyond the trees is of contexts that were
    given up: there, callers are not known, and only the function has it."""
    sums: dict[int, _Sums] = {}
    seen: dict[int, list[Charges]] = {}
    for root in roots:
        _add_tree(root, sums, seen)
    found = {}
    for index, charges in own.items():
        known = Charges((*key, *figures) for key, figures in sums.get(index, {}).items())
        found[index] = known + (charges - total(seen.get(index, ())))
    return found


def _add_tree(root: Node, sums: dict[int, _Sums], seen: dict[int, list[Charges]]) -> None:
    active: Counter[int] = Counter()
    below: list[_Sums | None] = [None]
    for node, entering in paths(root):
        if entering:
            active[node.function] += 1
            below.append(None)
            if node.charges:
                seen.setdefault(node.function, []).append(node.charges)
                below[-1] = {row[:2]: row[2:] for row in node.charges.rows}
            continue
        active[node.function] -= 1
        charged = below.pop()
        if charged is None:
            continue
        if not active[node.function]:
            _merge(sums.setdefault(node.function, {}), charged)
        above = below[-1]
        if above is None:
            below[-1] = charged
        else:
            _merge(above, charged)


def _merge(into: _Sums, more: _Sums) -> None:
    for key, (samples, ns) in more.items():
        known = into.get(key)
        into[key] = (samples, ns) if known is None else (known[0] + samples, known[1] + ns)


def own_of_tree(root: Node) -> dict[int, Charges]:
    """What a tree has of each function, of its own; that of the thread itself is the root's."""
    rows: dict[int, list[tuple[str, int, int, int]]] = {}
    if root.charges:
        rows[root.function] = list(root.charges.rows)
    for node, entering in paths(root):
        if entering and node.charges:
            rows.setdefault(node.function, []).extend(node.charges.rows)
    return {index: Charges(some) for index, some in rows.items()}


def lossy(roots: Iterable[Node], others: Collection[int]) -> set[int]:
    """The functions that called what has no context: there is time missing below them, or a node
    of `others` stands for it."""
    found = set()
    for root in roots:
        for node, entering in paths(root):
            if entering and node.function not in found:
                gap = node.elapsed_ns - node.self_ns
                for child in node.children:
                    gap -= child.elapsed_ns
                    if child.function in others:
                        found.add(node.function)
                if gap > _ROUNDING_NS + len(node.children):
                    found.add(node.function)
    return found
