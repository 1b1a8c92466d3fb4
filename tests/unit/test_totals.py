# SPDX-License-Identifier: Apache-2.0
"""The sums of a recording: differences of what the core counts, filters, and adding up."""

from __future__ import annotations

from pyusdt.recording import Recording
from pyusdt.recording.counts import (
    NOTHING,
    CountedBucket,
    CountedNode,
    CountedThread,
    Counts,
)
from pyusdt.recording.snapshot import FunctionRow
from pyusdt.recording.totals import Totals

FUNCTIONS = {
    number: FunctionRow(number, module, name, name, f"{module}.py", number)
    for number, (module, name) in enumerate(
        [("app", "main"), ("lib", "parse"), ("app", "read"), ("lib", "walk")]
    )
}
MAIN, PARSE, READ, WALK = FUNCTIONS


def counted(rate, threads, nodes, histograms, losses):
    """Counts of plain tuples."""
    return Counts(
        rate,
        [CountedThread(*row) for row in threads],
        [CountedNode(*row) for row in nodes],
        [CountedBucket(*row) for row in histograms],
        losses,
    )


# main -> parse -> read, main -> walk -> read; in ticks of 2 ns.
NODES = [
    (7, 2, -1, MAIN, 1, 0, 0, 100, 10),
    (7, 3, 2, PARSE, 2, 0, 1, 60, 20),
    (7, 4, 3, READ, 4, 3, 0, 40, 40),
    (7, 5, 2, WALK, 5, 0, 0, 30, 25),
    (7, 6, 5, READ, 6, 0, 0, 5, 5),
]
NOW = counted(2.0, [(7, 1, 70, "Main", 110)], NODES, [(7, READ, 20, 10)], {"lost": 3, "deep": 0})


def everything(_row):
    return True


def tree(snapshot, parent=-1, thread=0):
    """{function: (counts..., {below})}"""
    return {
        FUNCTIONS[function].qualname: (*counts, tree(snapshot, node, of))
        for of, node, above, function, *counts in snapshot.nodes
        if above == parent and of == thread
    }


def test_all_of_it():
    snapshot = Totals(everything).update(NOW, NOTHING, FUNCTIONS)
    assert snapshot.threads == [(70, "Main", 220)]
    assert tree(snapshot) == {
        "main": (1, 0, 0, 200, 20, {
            "parse": (2, 0, 1, 120, 40, {"read": (4, 3, 0, 80, 80, {})}),
            "walk": (5, 0, 0, 60, 50, {"read": (6, 0, 0, 10, 10, {})}),
        })
    }  # fmt: skip
    assert snapshot.histograms == [(READ, 20, 10)]
    assert snapshot.losses == {"lost": 3}
    assert snapshot.functions == list(FUNCTIONS.values())
    assert Recording.from_snapshot(snapshot).functions


def test_only_what_was_counted_since():
    gone = (6, 2, -1, WALK, 9, 0, 0, 50, 50)
    before = counted(
        2.0,
        [(7, 1, 70, "Main", 100), (6, 0, 60, "Gone", 50)],
        [*NODES[:2], (7, 4, 3, READ, 3, 3, 0, 30, 30), gone],
        [(7, READ, 20, 7)],
        {"lost": 3},
    )
    threads = [*NOW.threads, (6, 0, 60, "Gone", 50)]
    now = counted(2.0, threads, [*NODES, gone], NOW.histograms, NOW.losses)
    snapshot = Totals(everything).update(now, before, FUNCTIONS)
    assert snapshot.threads == [(70, "Main", 20)]
    assert tree(snapshot) == {
        "main": (0, 0, 0, 0, 0, {
            "parse": (0, 0, 0, 0, 0, {"read": (1, 0, 0, 20, 20, {})}),
            "walk": (5, 0, 0, 60, 50, {"read": (6, 0, 0, 10, 10, {})}),
        })
    }  # fmt: skip
    assert snapshot.histograms == [(READ, 20, 3)]
    assert snapshot.losses == {}


def test_the_time_of_the_unwanted_is_their_callers():
    snapshot = Totals(lambda row: row.module == "app").update(NOW, NOTHING, FUNCTIONS)
    assert tree(snapshot) == {
        "main": (1, 0, 0, 200, 20 + 40 + 50, {"read": (10, 3, 0, 90, 90, {})})
    }
    assert [row.qualname for row in snapshot.functions] == ["main", "read"]


def test_the_time_of_the_unwanted_at_the_top_is_nobodys():
    snapshot = Totals(lambda row: row.qualname == "read").update(NOW, NOTHING, FUNCTIONS)
    assert tree(snapshot) == {"read": (10, 3, 0, 90, 90, {})}


def test_several_times_add_up():
    totals = Totals(everything)
    totals.update(NOW, NOTHING, FUNCTIONS)
    totals.settle()
    other = counted(
        4.0,
        [(9, 0, 90, "Other", 10), (7, 1, 70, "Renamed", 120)],
        [(7, 2, -1, MAIN, 1, 0, 0, 10, 10), (9, 2, -1, READ, 1, 0, 0, 1, 1)],
        [(7, READ, 20, 1), (9, READ, 21, 1)],
        {"lost": 2, "deep": 1},
    )
    before = counted(4.0, [(7, 1, 70, "Main", 110)], [], [], {})
    for _ in range(2):  # updates do not add up until they are settled
        snapshot = totals.update(other, before, FUNCTIONS)
    assert snapshot.threads == [(70, "Renamed", 220 + 40), (90, "Other", 40)]
    assert tree(snapshot)["main"][:5] == (2, 0, 0, 240, 60)
    assert tree(snapshot, thread=1) == {"read": (1, 0, 0, 4, 4, {})}
    assert sorted(snapshot.histograms) == [(READ, 20, 11), (READ, 21, 1)]
    assert snapshot.losses == {"lost": 5, "deep": 1}


def test_numbers_stay():
    """A file is brought up to date row by row: a node that appears later takes no other's number,
    wherever the core has it."""
    totals = Totals(everything)
    zero = [(*row[:4], 0, 0, 0, 0, 0) for row in NODES]
    early = counted(2.0, NOW.threads, [NODES[0], *zero[1:3], NODES[3], zero[4]], [], {})
    first = totals.update(early, NOTHING, FUNCTIONS)
    last = totals.update(NOW, NOTHING, FUNCTIONS)
    assert [row[:4] for row in last.nodes[: len(first.nodes)]] == [row[:4] for row in first.nodes]
    assert len(first.nodes) == 2
    assert len(last.nodes) == 5


def test_one_thread():
    now = counted(1.0, [*NOW.threads, (8, 2, 80, "T", 9)],
                 [*NODES, (8, 2, -1, WALK, 1, 0, 0, 9, 9)], [(8, WALK, 3, 1)], {})  # fmt: skip
    snapshot = Totals(everything).update(now, NOTHING, FUNCTIONS, {8})
    assert snapshot.threads == [(80, "T", 9)]
    assert tree(snapshot) == {"walk": (1, 0, 0, 9, 9, {})}
    assert snapshot.histograms == [(WALK, 3, 1)]


def test_deep():
    depth = 10_000
    nodes = [(1, i + 2, i + 1 if i else -1, MAIN, 1, 0, 0, depth - i, 1) for i in range(depth)]
    now = counted(1.0, [(1, 1, 1, "M", depth)], nodes, [], {})
    assert len(Totals(everything).update(now, NOTHING, FUNCTIONS).nodes) == depth


def test_a_histogram_that_was_halved_is_not_less_than_nothing():
    before = counted(1.0, [(7, 1, 70, "Main", 1)], NODES, [(7, READ, 20, 100)], {})
    now = counted(1.0, [(7, 1, 70, "Main", 9)], NODES, [(7, READ, 20, 60)], {})
    assert Totals(everything).update(now, before, FUNCTIONS).histograms == []


def test_a_thread_that_has_ended_since_the_last_update():
    """The time of an ended thread is without its last moments, and may be less than it was."""
    totals = Totals(everything)
    threads = [(7, 1, 70, "Main", 110), (8, 2, 80, "Short", 50)]
    before = counted(2.0, [(8, 2, 80, "Short", 40)], [], [], {})
    totals.update(counted(2.0, threads, NODES, [], {}), before, FUNCTIONS)
    threads[1] = (8, 0, 80, "Short", 39)
    snapshot = totals.update(counted(2.0, threads, NODES, [], {}), before, FUNCTIONS)
    assert snapshot.threads == [(70, "Main", 220), (80, "Short", 0)]


def test_a_thread_that_is_met_later_than_a_younger_one():
    totals = Totals(everything)
    totals.update(counted(2.0, [(8, 2, 80, "Young", 50)], [], [], {}), NOTHING, FUNCTIONS)
    threads = [(7, 1, 70, "Main", 110), (8, 2, 80, "Young", 60)]
    snapshot = totals.update(counted(2.0, threads, NODES, [], {}), NOTHING, FUNCTIONS)
    assert snapshot.threads == [(80, "Young", 120), (70, "Main", 220)]
    assert tree(snapshot, thread=1)["main"][0] == 1


def test_an_end_alone_is_in_no_histogram():
    """A frame of a thread that has ended may be closed when all its time was counted already."""
    now = counted(2.0, NOW.threads, NODES, [(7, WALK, 20, 1), (7, READ, 20, 1)], {})
    before = counted(2.0, [(7, 1, 70, "Main", 100)], [*NODES[:2], *NODES[3:]], [], {})
    snapshot = Totals(everything).update(now, before, FUNCTIONS)
    assert snapshot.histograms == [(READ, 20, 1)]
    assert Recording.from_snapshot(snapshot).functions
