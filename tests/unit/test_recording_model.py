# SPDX-License-Identifier: Apache-2.0
"""The recording in memory: totals, recursion, histograms, steps, filters."""

import pytest
from recordings import MS, given_up, snapshot, snapshot_of

from pyusdt.recording import Recording, Snapshot
from pyusdt.recording.build import DamageError
from pyusdt.recording.tree import walk

pytestmark = pytest.mark.apart


@pytest.fixture
def recording():
    return Recording.from_snapshot(snapshot())


def by_name(recording):
    return {function.record.name: function for function in recording.functions}


def shape(root):
    return [(depth, node.function, node.calls, node.self_ns // MS) for node, depth in walk(root)]


def test_functions_sum_all_threads_and_count_recursion_once(recording):
    functions = by_name(recording)
    assert [f.record.name for f in recording.functions] == ["read", "run", "parse", "main"]
    read, parse = functions["read"], functions["parse"]
    assert (read.calls, read.resumes, read.self_ns, read.total_ns) == (20, 2, 55 * MS, 55 * MS)
    assert (parse.calls, parse.errors, parse.self_ns, parse.total_ns) == (7, 1, 40 * MS, 60 * MS)
    assert recording.self_ns == 150 * MS


def test_callers_and_callees_are_the_same_edges(recording):
    functions = by_name(recording)
    main, parse, read = functions["main"], functions["parse"], functions["read"]
    assert {i: e.calls for i, e in read.callers.items()} == {
        parse.index: 11,
        main.index: 7,
        functions["run"].index: 2,
    }
    assert parse.callers[parse.index].elapsed_ns == 30 * MS
    assert main.callees[parse.index] is parse.callers[main.index]


def test_mutual_recursion_counts_each_edge_once():
    nodes = [(0, i, i - 1, i % 2, 1, 0, 0, (6 - i) * MS, MS) for i in range(6)]
    functions = [(0, "m", "ping", "ping", "f", 1), (1, "m", "pong", "pong", "f", 2)]
    recording = Recording.from_snapshot(snapshot_of([(1, "t", 6 * MS)], functions, nodes))
    ping, pong = (by_name(recording)[name] for name in ("ping", "pong"))
    assert (ping.total_ns, pong.total_ns) == (6 * MS, 5 * MS)
    assert (ping.callees[pong.index].calls, ping.callees[pong.index].elapsed_ns) == (3, 5 * MS)


def test_a_tree_100_000_deep():
    n = 100_000
    nodes = [(0, i, i - 1, 0, 1, 0, 0, n - i, 1) for i in range(n)]
    recording = Recording.from_snapshot(
        snapshot_of([(1, "t", n)], [(0, "m", "f", "f", "f", 1)], nodes)
    )
    assert recording.functions[0].total_ns == n
    assert sum(1 for _ in walk(recording.tree)) == n
    assert sum(1 for _ in walk(recording.only(lambda _: False).tree)) == 0


def test_the_tree_merges_threads():
    one = snapshot()
    both = snapshot_of(
        [(1, "a", 100 * MS), (2, "b", 100 * MS)],
        one.functions,
        [row._replace(thread=t) for t in (0, 1) for row in one.nodes if row.thread == 0],
    )
    tree = Recording.from_snapshot(both).tree
    assert [depth for depth, *_ in shape(tree)] == [0, 1, 2, 3, 2, 1]
    assert tree.children[0].calls == 2
    assert tree.children[0].elapsed_ns == 200 * MS


def test_percentiles_come_from_the_histogram(recording):
    read = by_name(recording)["read"]
    assert read.p50_ns == 1 * MS
    assert read.p99_ns == 4 * MS
    assert Recording.from_snapshot(Snapshot()).functions == []


def test_no_call_takes_longer_than_all_of_them():
    one = snapshot_of(
        [(1, "t", 130)],
        [(0, "m", "f", "f", "f", 1)],
        [(0, 0, -1, 0, 1, 0, 0, 130, 130)],
        [(0, 150, 1)],
    )
    function = Recording.from_snapshot(one).functions[0]
    assert (function.p50_ns, function.p99_ns) == (130, 130)
    function.histogram[500] = 9  # of a thread that is not selected
    assert (function.p99_ns, function.min_ns, function.max_ns) == (500, 150, 500)


def test_steps_have_their_figures_and_their_series_in_order(recording):
    load, size, state = recording.steps
    assert (load.name, load.kind, load.count, load.series) == (
        "load",
        "step",
        2,
        [20 * MS, 40 * MS],
    )
    assert (load.mean, load.min, load.max) == (30 * MS, 20 * MS, 40 * MS)
    assert (load.percentile(0.5), load.deviation) == (30 * MS, pytest.approx(14.14 * MS, rel=0.01))
    assert (size.kind, size.series, size.deviation) == ("mark", [42], None)
    assert (state.series, state.mean, state.percentile(0.5)) == (["ready"], None, None)


def test_losses_are_kept_when_there_are_any(recording):
    assert recording.losses == {"nodes": 3}


def test_only_gives_the_time_of_others_to_their_callers(recording):
    kept = recording.only(lambda record: record.name in ("main", "read"))
    functions = by_name(kept)
    assert functions["main"].self_ns == (10 + 20 + 20) * MS
    assert functions["read"].calls == 20
    # The worker's read has no wanted caller; the three reads below main have become one.
    assert shape(kept.tree) == [(0, 0, 1, 50), (1, 2, 18, 50), (0, 2, 2, 5)]


def test_select_a_thread(recording):
    worker = recording.select(thread=lambda thread: thread.name == "worker-1")
    assert sorted(by_name(worker)) == ["read", "run"]
    assert worker.self_ns == 50 * MS


def figures(recording):
    return {
        f.record.name: (f.calls, f.self_ns // MS, f.total_ns // MS) for f in recording.functions
    }


def test_functions_are_exact_where_contexts_were_given_up():
    recording = Recording.from_snapshot(given_up())
    assert figures(recording) == {
        "walk": (1000, 70, 90),
        "leaf": (1000, 20, 20),
        "main": (1, 10, 100),
    }
    functions = by_name(recording)
    assert functions["walk"].primitive_calls == 100
    assert {i: e.calls for i, e in functions["walk"].callers.items()} == {0: 100}


def test_without_totals_the_tree_is_all_that_is_known():
    recording = Recording.from_snapshot(given_up(totals=False))
    assert figures(recording) == {"walk": (100, 20, 60), "main": (1, 10, 100)}
    assert recording.exact_totals.keys() == {(0, 0, 0), (0, 0, 1)}


def test_only_keeps_totals_and_gives_them_the_time_of_others():
    recording = Recording.from_snapshot(given_up())
    assert figures(recording.only(lambda record: record.name != "walk")) == {
        "main": (1, 10 + 20, 100),
        "leaf": (1000, 20, 20),
    }


def test_select_keeps_the_totals_of_what_is_selected():
    data = given_up()
    data.threads.append(data.threads[0]._replace(name="other"))
    data.totals.append(data.totals[2]._replace(thread=1, calls=7))
    recording = Recording.from_snapshot(data)
    assert figures(recording)["leaf"] == (1007, 40, 40)
    assert figures(recording.select(thread=lambda t: t.name == "other")) == {"leaf": (7, 20, 20)}
    assert figures(recording.select(process=lambda p: p.id == 0)) == figures(recording)


@pytest.mark.parametrize(("field", "value"), [("thread", 1), ("function", 9)])
def test_totals_of_nothing_are_damage(field, value):
    data = given_up()
    data.totals[1] = data.totals[1]._replace(**{field: value})
    with pytest.raises(DamageError, match=r"a total .* is not there"):
        Recording.from_snapshot(data)
