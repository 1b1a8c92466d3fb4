# SPDX-License-Identifier: Apache-2.0
"""Call trees for viewers that draw or write whole stacks: what is too deep for them becomes one
frame, "(deeper)", with all that it counted."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from pyusdt.recording import CodeRecord, Node, Recording
from pyusdt.recording.tree import paths, walk

DEEPEST = 1_000
"""Frames of a stack: speedscope fails from 5,000 on."""
MOST_BYTES = 100_000_000
"""Of a format that writes each stack as a whole."""

DEEPER = CodeRecord("", "(deeper)", "(deeper)", "", 0)
"""Stands for all calls below a stack that is as deep as may be."""


def cut(recording: Recording, deepest: int = DEEPEST) -> Recording:
    """`recording` with trees of so many levels at most, below which DEEPER may stand."""
    roots = [_cut(thread.root, deepest, len(recording.records)) for thread in recording.threads]
    if all(root is thread.root for root, thread in zip(roots, recording.threads, strict=True)):
        return recording
    threads = [replace(t, tree=root) for t, root in zip(recording.threads, roots, strict=True)]
    return replace(recording, records=[*recording.records, DEEPER], threads=threads)


def cut_to_size(recording: Recording, frame_bytes: Callable[[int], int]) -> Recording:
    """`recording` as deep as fits into DEEPEST levels and, where each node is written with its
    whole stack, into MOST_BYTES. `frame_bytes` is what a frame of a function costs."""
    roots = [thread.root for thread in recording.threads]
    return cut(recording, _fitting(roots, frame_bytes, MOST_BYTES))


def _fitting(roots: Iterable[Node], frame_bytes: Callable[[int], int], most: int) -> int:
    """The levels of which all stacks together, with DEEPER below the last ones, fit."""
    at: Counter[int] = Counter()  # level -> bytes of the stacks that end there
    above: Counter[int] = Counter()  # level -> bytes of those that go on
    for root in roots:
        sizes = [0]
        for node, entering in paths(root):
            if not entering:
                sizes.pop()
                continue
            level = len(sizes)
            size = sizes[-1] + frame_bytes(node.function)
            sizes.append(size)
            if level <= DEEPEST:
                at[level] += size
                above[level] += size * bool(node.children)
    level = 1
    total = at[1]
    while level < DEEPEST and total + at[level + 1] + above[level + 1] <= most:
        level += 1
        total += at[level]
    return level


def _cut(root: Node, deepest: int, index: int) -> Node:
    """A tree of `root` with so many levels, with nodes of the function `index` below the last one;
    `root` itself where it has no more."""
    if all(level < deepest for _, level in walk(root)):
        return root
    top = Node(root.function, root.counts, root.charges, root.held)
    path = [top]
    for node, entering in paths(root):
        if not entering:
            path.pop()
            continue
        level = len(path)
        if level <= deepest:
            kept = Node(node.function, node.counts, node.charges, node.held)
            path[-1].children.append(kept)
        else:
            kept = path[-1] if level > deepest + 1 else _below(path[-1], index)
            elapsed_ns = kept.elapsed_ns + (node.elapsed_ns if level == deepest + 1 else 0)
            kept.add(node)
            kept.elapsed_ns = elapsed_ns
        path.append(kept)
    return top


def _below(node: Node, index: int) -> Node:
    """The one that stands for what is too deep below `node`."""
    if not node.children:
        node.children.append(Node(index))
    return node.children[0]
