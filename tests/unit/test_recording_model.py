# SPDX-License-Identifier: Apache-2.0
"""The recording in memory: totals, recursion, histograms, steps, filters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import MS, snapshot, snapshot_of

from pyusdt.recording import Recording, Snapshot
from pyusdt.recording.histogram import BUCKETS, bucket_of, bucket_range, percentile
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
    assert read.p50_ns == pytest.approx(1 * MS, rel=0.25)
    assert read.p99_ns == pytest.approx(4 * MS, rel=0.25)
    assert Recording.from_snapshot(Snapshot()).functions == []


def test_no_call_takes_longer_than_all_of_them():
    one = snapshot_of(
        [(1, "t", 130)],
        [(0, "m", "f", "f", "f", 1)],
        [(0, 0, -1, 0, 1, 0, 0, 130, 130)],
        [(0, bucket_of(130) + 1, 1)],
    )
    function = Recording.from_snapshot(one).functions[0]
    assert (function.p50_ns, function.p99_ns) == (130, 130)
    function.histogram[bucket_of(500)] = 9  # of a thread that is not selected
    assert 500 < function.p99_ns < 600


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


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_a_duration_lies_in_its_bucket(ns):
    low, high = bucket_range(bucket_of(ns))
    assert low <= ns < high
    assert ns < 4 or high - low <= low / 4
    assert bucket_of(ns) < BUCKETS


def test_buckets_are_seamless():
    ranges = [bucket_range(bucket) for bucket in range(BUCKETS)]
    assert [high for _, high in ranges[:-1]] == [low for low, _ in ranges[1:]]
    assert [low for low, _ in ranges[:18]] == [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40,
    ]  # fmt: skip
    assert ranges[-1][1] == 2**64


@given(st.lists(st.integers(min_value=1, max_value=2**40), min_size=1))
def test_a_percentile_is_within_a_bucket_of_the_truth(values):
    counts: dict[int, int] = {}
    for value in values:
        counts[bucket_of(value)] = counts.get(bucket_of(value), 0) + 1
    for share in (0.0, 0.5, 0.99, 1.0):
        rank = min(int(share * len(values)), len(values) - 1)
        near = sorted(values)[max(rank - 1, 0) : rank + 2]
        got = percentile(counts, share)
        assert got is not None
        assert min(near) / 1.26 - 1 <= got <= max(near) * 1.26 + 1
