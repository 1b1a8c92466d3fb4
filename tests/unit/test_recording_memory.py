# SPDX-License-Identifier: Apache-2.0
"""What was allocated, in recordings: in memory, in files, and in damaged ones."""

import random
import sqlite3
from dataclasses import replace

import pytest
from recordings import snapshot_of

from pyusdt.errors import UserError
from pyusdt.memory import KINDS, together, word
from pyusdt.recording import Recording, Snapshot, counts, load, plausible, write
from pyusdt.recording.memory import MemoryFigures, MemoryRow
from pyusdt.recording.pack import pack
from pyusdt.recording.snapshot import FunctionRow
from pyusdt.recording.tree import walk

MAIN, WORK, APPEND = 1, 2, 3
LIST = MemoryFigures(300, 3, 100, 1, 100, 1, 200, 2, 150)
TEXT = MemoryFigures(5000, 5, 1000, 1, 0, 0, 4000, 4, 1000)
MORE = MemoryFigures(70, 1, 0, 0, 0, 0, 0, 0, 70)
ALL = (TEXT, LIST, MORE, LIST, MORE, TEXT)


def held() -> Snapshot:
    """main calls work, which calls list.append, in C; work in a second thread, and none."""
    it = snapshot_of(
        threads=[(100, "MainThread", 100), (101, "worker-1", 50)],
        functions=[
            (MAIN, "app", "main", "main", "/app.py", 1),
            (WORK, "app", "work", "work", "/app.py", 10),
            (APPEND, "builtins", "list.append", "append", "", 0),
        ],
        nodes=[
            (0, 0, -1, MAIN, 1, 0, 0, 100, 20),
            (0, 1, 0, WORK, 2, 0, 0, 80, 70),
            (0, 2, 1, APPEND, 2, 0, 0, 10, 10),
            (1, 0, -1, WORK, 1, 0, 0, 50, 50),
        ],
    )
    rows = [
        MemoryRow(0, 1, WORK, 12, WORK, TEXT),
        MemoryRow(0, 2, APPEND, 12, WORK, LIST),
        MemoryRow(0, 0, MAIN, 3, MAIN, MORE),
        MemoryRow(1, 0, WORK, 12, WORK, LIST),
        MemoryRow(1, -1, -1, 0, -1, MORE),
        MemoryRow(-1, -1, -1, 0, -1, TEXT),
    ]
    return replace(it, memory=rows, memory_kinds="all")


@pytest.fixture(params=["memory", "file"])
def recording(request, tmp_path):
    if request.param == "memory":
        return Recording.from_snapshot(held())
    write(tmp_path / "out.pyusdt", held())
    return load(tmp_path / "out.pyusdt")


def places(recording: Recording):
    return {
        (it.record and it.record.name, it.line, it.line_record and it.line_record.name): it.figures
        for it in recording.memory_rows
    }


EXPECTED = {
    ("work", 12, "work"): TEXT.plus(LIST),
    ("append", 12, "work"): LIST,
    ("main", 3, "main"): MORE,
    (None, 0, None): MORE.plus(TEXT),
}


def total(figures):
    sum_, *rest = figures
    for more in rest:
        sum_ = sum_.plus(more)
    return sum_


def test_what_functions_have_allocated_at_their_lines(recording):
    assert places(recording) == EXPECTED
    assert recording.memory_totals == total(ALL)
    assert recording.processes[0].memory == "all"
    assert "memory" in recording.known
    assert [it.figures.peak_bytes for it in recording.memory_rows] == [4200, 4000, 200, 0]


def test_what_is_alive():
    assert (LIST.live_bytes, LIST.live_blocks) == (200, 2)
    assert TEXT.plus(LIST) == (5300, 8, 1100, 2, 100, 1, 4200, 6, 1000)
    assert TEXT.since(LIST) == (4700, 2, 900, 0, -100, -1, 4000, 4, 1000)


def test_contexts_have_their_own(recording):
    main, worker = (
        {recording.records[node.function].name: node.memory for node, _ in walk(thread.root)}
        for thread in recording.threads
    )
    assert main == {"main": MORE, "work": TEXT, "append": LIST}
    assert worker == {"work": LIST}
    assert recording.threads[1].root.memory == MORE


def test_threads_have_their_own(recording):
    main = recording.select(thread=lambda it: it.name == "MainThread")
    assert main.memory_totals == total([TEXT, LIST, MORE])
    assert recording.select(process=lambda _: False).memory == []
    assert recording.select(process=lambda _: True).memory_totals == total(ALL)


def test_a_filter_leaves_c_functions_to_their_lines_and_others_to_none(recording):
    work = recording.only(lambda record: record.name == "work")
    assert places(work) == {
        ("work", 12, "work"): total([TEXT, LIST, LIST]),
        (None, 0, None): total([MORE, MORE, TEXT]),
    }
    assert work.memory_totals == recording.memory_totals


def test_an_older_file_knows_nothing_of_it(tmp_path):
    write(tmp_path / "out.pyusdt", held())
    with sqlite3.connect(tmp_path / "out.pyusdt") as it:
        it.executescript("DROP VIEW function_memory; DROP TABLE memory; PRAGMA user_version = 5")
    it.close()
    recording = load(tmp_path / "out.pyusdt")
    assert recording.memory_rows == []
    assert "memory" not in recording.known


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE memory SET biggest = -1", "memory.biggest is not a number from 0 on"),
        ("UPDATE memory SET freed_bytes = 'x'", "memory.freed_bytes is not a number"),
        ("UPDATE memory SET function = 77 WHERE function = 1", "memory names function 77"),
        ("UPDATE memory SET line_function = 77 WHERE line = 3", "memory names function 77"),
        ("UPDATE memory SET process = 77", "memory name process 77"),
        ("UPDATE memory SET node = 77 WHERE function = 1", "memory is of node 77"),
        ("UPDATE processes SET memory = x'00'", "processes.memory has a value of another type"),
        ("DROP TABLE memory", "memory"),
    ],
)
def test_damaged_memory_is_refused(statement, says, tmp_path):
    write(tmp_path / "out.pyusdt", held())
    with sqlite3.connect(tmp_path / "out.pyusdt") as it:
        it.execute("PRAGMA foreign_keys = OFF")
        it.execute(statement)
    it.close()
    with pytest.raises(UserError, match=says):
        assert load(tmp_path / "out.pyusdt").threads[0].root


def test_counts_come_back_as_they_were_packed():
    found = counts.unpack(pack(held(), [4, 9]), {})
    assert found.memory_kinds == "all"
    none = counts.NO_NODE
    assert [row[:4] for row in found.memory] == [
        (4, 1, WORK, 12), (4, 2, APPEND, 12), (4, 0, MAIN, 3), (9, 0, WORK, 12), (9, none, 0, 0),
        (0, none, 0, 0),
    ]  # fmt: skip
    assert [row[4:] for row in found.memory] == [tuple(figures) for figures in ALL]


@pytest.mark.parametrize(
    ("function", "line", "bytes_", "why"),
    [
        (7, 0, 1, "no name"),
        (3, -1, 1, "line -1"),
        (3, 1, 2**62, "memory beyond any"),
        (3, 1, 2**64 - 1, "memory beyond any"),
        (0, 0, 1, None),
        (3, 2**31 - 1, 2**60, None),
    ],
)
def test_memory_that_no_process_has_is_refused(function, line, bytes_, why):
    head = counts.HEAD.pack(1.0, 1, 1, *[0] * 10, 4, 0, 1, *[0] * 5)
    row = counts.MEMORY.pack(1, 0, function, line, bytes_, 1, 1, 1, 0, 0, 0, 0, 1)
    functions = {3: FunctionRow(3, "app", "f", "f", "/app.py", 1)}
    if why is None:
        plausible.require(counts.unpack(head + row, functions), functions)
        return
    with pytest.raises(ValueError, match=why):
        plausible.require(counts.unpack(head + row, functions), functions)


@pytest.mark.parametrize("seed", range(20))
def test_any_bytes_are_refused_or_fit(seed):
    chance = random.Random(seed)
    head = counts.HEAD.pack(1.0, 1, 1, *[0] * 10, 4, 0, 3, *[0] * 5)
    body = bytearray(3 * counts.MEMORY.size)
    for _ in range(seed):
        body[chance.randrange(len(body))] = chance.randrange(256)
    try:
        found = counts.unpack(head + bytes(body), {})
        plausible.require(found, {})
    except ValueError:
        return
    assert all(row.line >= 0 and max(row) < 2**63 for row in found.memory)


def test_kinds():
    assert [word(True), word(False), word("sampled")] == ["all", "", "sampled"]
    assert together([]) == together([0, 0]) == 0
    assert together([0, KINDS["sampled"]]) == KINDS["sampled"]
    assert together([KINDS["python"], KINDS["sampled"]]) == KINDS["all"]
