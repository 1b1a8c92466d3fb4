# SPDX-License-Identifier: Apache-2.0
"""The call tree in memory, and what is made from it without recursion: trees are 10,000 deep."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Self

from pyusdt.recording.charges import Charges
from pyusdt.recording.memory import MemoryFigures, total

TOP = -1  # the function of a node that stands for a thread, or for all of them

Held = Mapping[int, MemoryFigures]
"""What a context has allocated, by line."""


class Node:
    """A calling context. `function` is an index into `Recording.records`, TOP at the top.

    `elapsed_ns` includes the children, `self_ns` does not; neither includes suspension.
    `charges` are those of this context alone; None: there are none, or no sampler ran. `held` is
    the same of what it allocated, by the line that it was at then, or that had called it where it
    is in C; 0 where that is not known.
    """

    __slots__ = (
        "calls",
        "charges",
        "children",
        "elapsed_ns",
        "errors",
        "function",
        "held",
        "resumes",
        "self_ns",
    )

    def __init__(
        self,
        function: int = TOP,
        counts: Iterable[int] = (0, 0, 0, 0, 0),
        charges: Charges | None = None,
        held: Held | None = None,
    ) -> None:
        self.function = function
        self.calls, self.resumes, self.errors, self.elapsed_ns, self.self_ns = counts
        self.children: list[Node] = []
        self.charges = charges
        self.held = held

    @property
    def counts(self) -> tuple[int, int, int, int, int]:
        """calls, resumes, errors, elapsed_ns, self_ns"""
        return self.calls, self.resumes, self.errors, self.elapsed_ns, self.self_ns

    @property
    def memory(self) -> MemoryFigures | None:
        """What it allocated, at all lines; None: nothing, or it is not known."""
        if not self.held:
            return None
        first, *more = self.held.values()  # mostly there are no more
        return total((first, *more)) if more else first

    def add(self, other: Self) -> None:
        """Add the counts, charges and memory of `other`, not its children."""
        self.calls += other.calls
        self.resumes += other.resumes
        self.errors += other.errors
        self.elapsed_ns += other.elapsed_ns
        self.self_ns += other.self_ns
        self.charge(other.charges)
        self.hold(other.held)

    def charge(self, charges: Charges | None) -> None:
        """Add charges."""
        if charges:
            self.charges = self.charges + charges if self.charges else charges

    def hold(self, held: Held | None) -> None:
        """Add memory. What is there already, other nodes may have too, so it stays as it is."""
        if self.held and held:
            sums = dict(self.held)
            for line, figures in held.items():
                sums[line] = sums[line].plus(figures) if line in sums else figures
            self.held = sums
        else:
            self.held = held or self.held


def paths(root: Node) -> Iterator[tuple[Node, bool]]:
    """Every node but the root, twice: (node, True) before its children, (node, False) after."""
    levels = [iter(root.children)]
    path: list[Node] = []
    while levels:
        node = next(levels[-1], None)
        if node is not None:
            yield node, True
            path.append(node)
            levels.append(iter(node.children))
            continue
        levels.pop()
        if path:
            yield path.pop(), False


def walk(root: Node) -> Iterator[tuple[Node, int]]:
    """Every node but the root, callers first, with its depth (0 below the root). The children of
    a node are looked at after it."""
    stack = [(node, 0) for node in reversed(root.children)]
    while stack:
        one = stack.pop()
        yield one
        node, depth = one
        if node.children:
            stack += [(child, depth + 1) for child in reversed(node.children)]


def merged(roots: Iterable[Node]) -> Node:
    """A new tree in which the calling contexts of `roots` that are alike are one."""
    top = Node()
    for root in roots:
        top.add(root)
        into = [top]
        places: list[dict[int, Node]] = [{child.function: child for child in top.children}]
        for node, entering in paths(root):
            if not entering:
                into.pop()
                places.pop()
                continue
            same = places[-1].get(node.function)
            if same is None:
                same = places[-1][node.function] = Node(node.function)
                into[-1].children.append(same)
            same.add(node)
            into.append(same)
            places.append({child.function: child for child in same.children})
    return top


def only(
    root: Node, wanted: Callable[[int], bool], in_c: Callable[[int], bool] = lambda _: False
) -> Node:
    """A new tree of the wanted functions alone, as recording with a filter would have made it.

    The time and memory of an unwanted call belong to its nearest wanted caller, or to none; so do
    the lines of what is in C.
    """
    top = Node(root.function, root.counts, root.charges, root.held)
    keepers, callers = [top], [root]
    for node, entering in paths(root):
        if not entering:
            keepers.pop()
            callers.pop()
            continue
        is_wanted, caller = wanted(node.function), callers[-1]
        callers.append(node)
        held = node.held
        if in_c(node.function):
            held = held if wanted(caller.function) else _of_no_line(held)
        elif not is_wanted:
            held = _of_no_line(held)
        if is_wanted:
            kept = Node(node.function, node.counts, node.charges, held)
            keepers[-1].children.append(kept)
            keepers.append(kept)
        else:
            keepers[-1].self_ns += node.self_ns
            keepers[-1].charge(node.charges)
            keepers[-1].hold(held)
            keepers.append(keepers[-1])
    top.self_ns = root.self_ns
    top.elapsed_ns = top.self_ns + sum(child.elapsed_ns for child in top.children)
    return merged([top])


def _of_no_line(held: Held | None) -> Held | None:
    return {0: total(held.values())} if held else None


def sort(root: Node) -> None:
    """Put the heaviest child first, everywhere, in place."""
    root.children.sort(key=lambda node: -node.elapsed_ns)
    for node, _ in walk(root):
        node.children.sort(key=lambda child: -child.elapsed_ns)
