# SPDX-License-Identifier: Apache-2.0
"""What reports show of memory: without what starts a program, and threads of one name as one."""

from dataclasses import replace

import pytest
from memory_recordings import GIVEN_UP, KEPT, LEAK, LIST, MAIN, SMALL, TEXT, WORKER, held
from recordings import snapshot_of

from pyusdt.recording import Recording
from pyusdt.recording.held import OUTSIDE
from pyusdt.recording.memory import MemoryRow
from pyusdt.recording.tree import walk
from pyusdt.report.lines import lines_by_function
from pyusdt.report.memory_tree import memory_tree
from pyusdt.report.prepare import shown


def started():
    """runpy's frame, which began before the recording, around main; in C it calls exec."""
    data = snapshot_of(
        threads=[(1, "MainThread", 100)],
        functions=[
            (1, "runpy", "_run_code", "_run_code", "/usr/lib/runpy.py", 65),
            (2, "app", "main", "main", "/app.py", 1),
        ],
        nodes=[(0, 0, -1, 1, 0, 0, 0, 100, 0), (0, 1, 0, 2, 1, 0, 0, 100, 100)],
        totals=[(0, 1, 0, 0, 0, 0, 100, 0), (0, 2, 1, 1, 0, 0, 100, 100)],
    )
    rows = [MemoryRow(0, 0, 1, 0, -1, LEAK), MemoryRow(0, 1, 2, 0, -1, TEXT)]
    return replace(data, memory=rows, memory_kinds="all")


@pytest.mark.parametrize("trees", [False, True])
def test_what_starts_a_program_leaves_its_memory_to_the_thread(trees):
    it = shown(Recording.from_snapshot(started()), trees=trees)
    assert it.memory_by_function == {OUTSIDE: LEAK, 1: TEXT}
    assert [f.record.name for f in it.functions] == ["main"]
    if trees:
        assert it.threads[0].root.memory == LEAK


def workers():
    """Two workers, of which contexts were given up."""
    data = held()
    rows = [MemoryRow(thread, -1, SMALL, 0, -1, GIVEN_UP) for thread in (1, 2)]
    rows += [MemoryRow(thread, 0, MAIN, 0, -1, KEPT) for thread in (1, 2)]
    it = snapshot_of(
        threads=[(100, "MainThread", 100), (101, "worker-1", 50), (102, "worker-2", 50)],
        functions=data.functions,
        nodes=[(thread, 0, -1, MAIN, 1, 0, 0, 50, 50) for thread in (1, 2)],
        totals=[(thread, index, 1, 1, 0, 0, 9, 9) for thread in (1, 2) for index in (MAIN, SMALL)],
        losses={"calls beyond max_nodes": 5},
    )
    return replace(it, memory=rows, memory_kinds="all")


def test_threads_of_one_name_have_the_memory_of_all():
    it = shown(Recording.from_snapshot(workers()))
    (worker,) = (thread for thread in it.threads if thread.name == "worker-*")
    found = {it.records[node.function].name: node.memory for node, _ in walk(worker.root)}
    assert found == {"main": KEPT.plus(KEPT), "(others)": GIVEN_UP.plus(GIVEN_UP)}


def test_a_line_that_has_memory_and_no_hit_is_there():
    data = held()
    lines = [row for row in data.lines if row.line != 7]
    recording = Recording.from_snapshot(replace(data, lines=lines))
    found = {it.line: it.hits for it in lines_by_function(recording)[1]}
    assert found == {7: 0, 9: 100}


def test_contexts_without_memory_have_no_line_in_the_tree():
    data = held()
    rows = [row for row in data.memory if row.function not in (3, -1)]
    recording = shown(Recording.from_snapshot(replace(data, memory=rows)))
    assert memory_tree(recording, "peak", 100).row_count == 5  # two threads, main, work, work
    assert total_of(recording) == [KEPT, TEXT.plus(LEAK), WORKER]
    every = shown(Recording.from_snapshot(data))
    assert memory_tree(every, "peak", 100).row_count == 7
    assert LIST in total_of(every)


def total_of(recording):
    nodes = (node for thread in recording.threads for node, _ in walk(thread.root))
    return [node.memory for node in nodes if node.memory]
