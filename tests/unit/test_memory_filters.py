# SPDX-License-Identifier: Apache-2.0
"""What filters leave of memory: the rows and the call trees of a recording have the same."""

import itertools
from operator import sub

import pytest
from memory_recordings import GIVEN_UP, KEPT, LEAK, LIST, NATIVE, TEXT, THREAD, WORKER, held

from pyusdt.recording import Recording
from pyusdt.recording.held import NATIVE as IN_NATIVE
from pyusdt.recording.held import OUTSIDE, by_function, of_tree
from pyusdt.recording.memory import total
from pyusdt.recording.tree import walk
from pyusdt.report.prepare import shown

NAMES = ("main", "work", "append", "small")
ALL = total([KEPT, TEXT, LEAK, LIST, WORKER, THREAD, NATIVE, GIVEN_UP])


@pytest.fixture
def recording():
    return Recording.from_snapshot(held(given_up=True))


def in_trees(recording):
    """By function, what the nodes of all trees have, and what no tree has."""
    sums = {}
    for thread in recording.threads:
        for node in (thread.root, *(node for node, _ in walk(thread.root))):
            if node.memory:
                sums.setdefault(node.function, []).append(node.memory)
    for row in recording.memory:
        if row.thread < 0 or (row.node < 0 and row.function >= 0):
            index = row.function if row.thread >= 0 else IN_NATIVE
            sums.setdefault(index, []).append(row.figures)
    return {index: total(some) for index, some in sums.items()}


def of(recording, name):
    (found,) = (it for it in recording.functions if it.record.name == name)
    return found.memory


@pytest.mark.parametrize("n", range(5))
def test_rows_and_trees_agree_whatever_is_left(recording, n):
    for names in itertools.combinations(NAMES, n):
        left = recording.only(lambda record, names=names: record.name in names)
        assert left.memory_totals == ALL
        assert in_trees(left) == left.memory_by_function
        again = left.only(lambda record: record.name == "work")
        assert in_trees(again) == again.memory_by_function
        assert again.memory_totals == ALL


def test_the_memory_of_others_belongs_to_their_callers(recording):
    main = recording.only(lambda record: record.name == "main")
    assert of(main, "main") == total([KEPT, TEXT, LEAK, LIST])
    assert main.memory_by_function[OUTSIDE] == total([WORKER, THREAD, GIVEN_UP])
    lines = {(it.record.name, it.line): it.figures for it in main.memory_rows if it.record}
    assert lines == {("main", 2): KEPT, ("main", 0): total([TEXT, LEAK, LIST])}


def test_what_c_functions_allocate_stays_at_the_line_that_called_them(recording):
    work = recording.only(lambda record: record.name == "work")
    assert of(work, "work") == total([TEXT, LEAK, LIST, WORKER])
    lines = {it.line: it.figures for it in work.memory_rows if it.record}
    assert lines == {7: TEXT, 9: LEAK.plus(LIST), 0: WORKER}
    append = recording.only(lambda record: record.name == "append")
    assert {it.line for it in append.memory_rows} == {0}


def test_what_was_shown_once_is_the_same_again(recording):
    shown(recording)
    nodes = [node for thread in shown(recording).threads for node, _ in walk(thread.root)]
    assert total(it.memory for it in nodes if it.memory) == ALL.__class__._make(
        (*map(sub, ALL[:8], THREAD.plus(NATIVE)[:8]), TEXT.biggest)
    )


def test_the_rows_of_a_tree_make_the_tree_again(recording):
    for thread in recording.threads:
        is_c = [record.is_c for record in recording.records].__getitem__
        rows = of_tree(0, thread.index, thread.root, is_c)
        expected = [it for it in recording.memory if it.thread == thread.index and it.node != -1]
        expected += [it for it in recording.memory if it[1:4] == (thread.index, -1, -1)]
        assert by_function(rows) == by_function(expected)


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("trees", [False, True])
def test_what_is_shown_has_all_of_it(recording, trees, split):
    it = shown(recording, split_threads=split, trees=trees)
    assert it.memory_totals == ALL
    if trees:
        nodes = [node for thread in it.threads for node, _ in walk(thread.root)]
        (others,) = (node for node in nodes if it.records[node.function].name == "(others)")
        assert others.memory == GIVEN_UP


def test_functions_that_allocated_nothing_are_known_to_have(recording):
    recording.memory = [row for row in recording.memory if row.function != 3]
    assert of(recording, "small") == total([])
    none = Recording.from_snapshot(held())
    none.processes[0] = none.processes[0].__class__(0, 1)
    assert {it.memory for it in none.functions} == {None}
