# SPDX-License-Identifier: Apache-2.0
"""From rows to what a Recording holds, and the checks that rows from a file need."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from pyusdt.recording.records import Process, Thread
from pyusdt.recording.snapshot import HistogramRow, NodeRow, ThreadRow
from pyusdt.recording.tree import Node


class DamageError(ValueError):
    """Rows that no recorder writes; the text says which."""


def histograms_of(
    process: Process, rows: Iterable[HistogramRow], place: Mapping[int, int]
) -> dict[tuple[int, int], dict[int, int]]:
    """What `Recording.histograms` holds for a process. `place` maps a function id to its index."""
    histograms: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for row in rows:
        histograms[process.id, place[row.function]][row.bucket] = row.calls
    return dict(histograms)


def threads_of(
    process: Process,
    threads: Sequence[ThreadRow],
    nodes: Iterable[NodeRow],
    place: Mapping[int, int],
    seen: Callable[[], None] = lambda: None,
) -> list[Thread]:
    """Threads with their trees. `place` maps a function id to its index, `seen` is called for each
    node. Raise DamageError where the rows do not make trees."""
    rows: list[dict[int, tuple[Node, int]]] = [{} for _ in threads]
    for row in nodes:
        thread, function = row.thread, row.function
        if not 0 <= thread < len(threads):
            raise DamageError(f"node {row.node} is of thread {thread}, which is not there")
        if function not in place:
            raise DamageError(f"node {row.node} names function {function}, which is not there")
        rows[thread][row.node] = Node(place[function], row.figures), row.parent
        seen()
    return [
        Thread(process.id, index, *thread, _tree(rows[index], thread.elapsed_ns))
        for index, thread in enumerate(threads)
    ]


def _tree(rows: dict[int, tuple[Node, int]], elapsed_ns: int) -> Node:
    root = Node(counts=(0, 0, 0, elapsed_ns, 0))
    for number, (node, parent) in rows.items():
        if parent != -1 and parent not in rows:
            raise DamageError(f"node {number} is below node {parent}, which is not there")
        (root if parent == -1 else rows[parent][0]).children.append(node)
    reached = 0
    stack = [root]
    while stack:
        node = stack.pop()
        reached += 1
        stack.extend(node.children)
    if reached != len(rows) + 1:
        raise DamageError("its nodes form a circle")
    return root
