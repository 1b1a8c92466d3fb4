# SPDX-License-Identifier: Apache-2.0
"""The sums of a recording: differences of what the core counts, filters, and adding up."""

from __future__ import annotations

from pyusdt.recording import Recording
from pyusdt.recording.counts import (
    NOTHING,
    CountedDuration,
    CountedNode,
    CountedThread,
    CountedTotal,
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


def counted(rate, threads, nodes, histograms, losses, totals=()):
    """Counts of plain tuples."""
    return Counts(
        rate,
        [CountedThread(*row) for row in threads],
        [CountedNode(*row) for row in nodes],
        [CountedDuration(*row) for row in histograms],
        losses,
        totals=[CountedTotal(*row) for row in totals],
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


def durations(snapshot):
    """Function, ns and calls."""
    return [row[:3] for row in snapshot.histograms]


def test_all_of_it():
    snapshot = Totals(everything).update(NOW, NOTHING, FUNCTIONS)
    assert snapshot.threads == [(70, "Main", 220)]
    assert tree(snapshot) == {
        "main": (1, 0, 0, 200, 20, {
            "parse": (2, 0, 1, 120, 40, {"read": (4, 3, 0, 80, 80, {})}),
            "walk": (5, 0, 0, 60, 50, {"read": (6, 0, 0, 10, 10, {})}),
        })
    }  # fmt: skip
    assert durations(snapshot) == [(READ, 40, 10)]
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
    assert durations(snapshot) == [(READ, 40, 3)]
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
        [(7, READ, 10, 1), (9, READ, 21, 1)],
        {"lost": 2, "deep": 1},
    )
    before = counted(4.0, [(7, 1, 70, "Main", 110)], [], [], {})
    for _ in range(2):  # updates do not add up until they are settled
        snapshot = totals.update(other, before, FUNCTIONS)
    assert snapshot.threads == [(70, "Renamed", 220 + 40), (90, "Other", 40)]
    assert tree(snapshot)["main"][:5] == (2, 0, 0, 240, 60)
    assert tree(snapshot, thread=1) == {"read": (1, 0, 0, 4, 4, {})}
    assert sorted(durations(snapshot)) == [(READ, 40, 11), (READ, 84, 1)]
    assert snapshot.losses == {"lost": 5, "deep": 1}


# Of NODES, and of 100 calls of `read` below `parse` in contexts that were given up.
TOTALS = [
    (7, MAIN, 1, 1, 0, 0, 100, 10),
    (7, PARSE, 2, 2, 0, 1, 60, 20),
    (7, READ, 110, 110, 3, 0, 50, 50),
    (7, WALK, 5, 5, 0, 0, 30, 25),
]


def exact(snapshot):
    return {FUNCTIONS[row.function].qualname: row.figures for row in snapshot.totals}


def test_totals_of_functions():
    now = counted(2.0, NOW.threads, NODES, [], {}, TOTALS)
    snapshot = Totals(everything).update(now, NOTHING, FUNCTIONS)
    assert exact(snapshot) == {
        "main": (1, 1, 0, 0, 200, 20),
        "parse": (2, 2, 0, 1, 120, 40),
        "read": (110, 110, 3, 0, 100, 100),
        "walk": (5, 5, 0, 0, 60, 50),
    }
    found = {f.record.qualname: f for f in Recording.from_snapshot(snapshot).functions}
    assert {name: (f.calls, f.total_ns) for name, f in found.items()} == {
        "main": (1, 200), "parse": (2, 120), "read": (110, 100), "walk": (5, 60)
    }  # fmt: skip
    assert {place: edge.calls for place, edge in found["read"].callers.items()} == {1: 4, 3: 6}


def test_totals_are_differences_and_add_up():
    totals = Totals(everything)
    before = counted(2.0, [], [], [], {}, [(7, READ, 100, 90, 3, 0, 40, 50), TOTALS[0]])
    now = counted(2.0, NOW.threads, NODES, [], {}, TOTALS)
    wanted = {"read": (10, 20, 0, 0, 20, 0), "parse": (2, 2, 0, 1, 120, 40)}
    assert wanted.items() <= exact(totals.update(now, before, FUNCTIONS)).items()
    totals.settle()
    for _ in range(2):
        snapshot = totals.update(now, NOTHING, FUNCTIONS)
    assert exact(snapshot)["read"] == (120, 130, 3, 0, 120, 100)
    assert exact(snapshot)["main"] == (1, 1, 0, 0, 200, 20)


def test_totals_of_wanted_functions_have_the_time_of_the_others():
    now = counted(2.0, NOW.threads, NODES, [], {}, TOTALS)
    snapshot = Totals(lambda row: row.module == "app").update(now, NOTHING, FUNCTIONS)
    assert exact(snapshot) == {
        "main": (1, 1, 0, 0, 200, 20 + 40 + 50),
        "read": (110, 110, 3, 0, 100, 100),
    }


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
    assert durations(snapshot) == [(WALK, 3, 1)]


def test_deep():
    depth = 10_000
    nodes = [(1, i + 2, i + 1 if i else -1, MAIN, 1, 0, 0, depth - i, 1) for i in range(depth)]
    now = counted(1.0, [(1, 1, 1, "M", depth)], nodes, [], {})
    assert len(Totals(everything).update(now, NOTHING, FUNCTIONS).nodes) == depth


def test_a_duration_that_is_no_longer_the_longest():
    """Nor the shortest: they lie in the middle of their bucket then."""
    before = counted(1.0, [(7, 1, 70, "Main", 1)], NODES[:2],
                     [(7, READ, 1000, 1), (7, READ, 1004, 2), (7, READ, 1007, 1)], {})  # fmt: skip
    now = counted(1.0, [(7, 1, 70, "Main", 9)], NODES,
                  [(7, READ, 90, 1), (7, READ, 1004, 7), (7, READ, 5000, 1)], {})  # fmt: skip
    snapshot = Totals(everything).update(now, before, FUNCTIONS)
    assert sorted(durations(snapshot)) == [(READ, 90, 1), (READ, 1004, 3), (READ, 5000, 1)]


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


def test_latencies_are_apart():
    rows = [(7, READ, 20, 10), (7, READ, 20, 3, 1), (7, READ, 90, 1, 1)]
    now = counted(2.0, NOW.threads, NODES, rows, {})
    snapshot = Totals(everything).update(now, NOTHING, FUNCTIONS)
    (read,) = [f for f in Recording.from_snapshot(snapshot).functions if f.record.name == "read"]
    assert (read.histogram, read.latencies) == ({40: 10}, {40: 3, 180: 1})


def test_an_end_alone_is_in_no_histogram():
    """A frame of a thread that has ended may be closed when all its time was counted already."""
    now = counted(2.0, NOW.threads, NODES, [(7, WALK, 20, 1), (7, READ, 20, 1)], {})
    before = counted(2.0, [(7, 1, 70, "Main", 100)], [*NODES[:2], *NODES[3:]], [], {})
    snapshot = Totals(everything).update(now, before, FUNCTIONS)
    assert durations(snapshot) == [(READ, 40, 1)]
    assert Recording.from_snapshot(snapshot).functions
