# SPDX-License-Identifier: Apache-2.0
"""What lives by its age, and what grows, in recordings: in memory, in files, in damaged ones."""

import random
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from recordings import snapshot_of

from pyusdt.errors import UserError
from pyusdt.recording import Recording, Snapshot, counts, load, plausible, write
from pyusdt.recording.aging import GrowthRow, LivingRow, PointRow
from pyusdt.recording.memory import StepMemory
from pyusdt.recording.pack import pack
from pyusdt.recording.snapshot import FunctionRow, StepRow

MAIN, WORK, APPEND = 1, 2, 3
STEPS = range(1, 41)


def aged() -> Snapshot:
    """main calls work, which leaks 50 bytes a step at line 12, by list.append, in C, in two
    threads; and 7 bytes more or less at line 13."""
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
    append, worker, work = (
        (0, 2, APPEND, 12, WORK),
        (1, 0, APPEND, 12, WORK),
        (0, 1, WORK, 13, WORK),
    )
    chance = random.Random(1)
    return replace(
        it,
        memory_kinds="all",
        living=[
            LivingRow(*append, 0, 100, 1),
            LivingRow(*append, 500, 20, 2),
            LivingRow(*worker, 700, 3, 3),
            LivingRow(-1, -1, -1, 0, -1, 700, 4000, 1),
        ],
        points=[PointRow("\udc80 step", i, 1000, 3) for i in STEPS],
        growth=[
            row
            for i in STEPS
            for row in (
                GrowthRow(*append, "\udc80 step", i, 20 * i),
                GrowthRow(*worker, "\udc80 step", i, 30 * i),
                GrowthRow(*work, "\udc80 step", i, i + 7 * chance.randrange(100)),
            )
        ],
        steps=[
            StepRow("\udc80 step", "step", 0, 500, 10, None, StepMemory(1, 2, 3, 4, 5)),
            StepRow("\udc80 step", "step", 1, 600, 10, None, StepMemory(1, 2, 3, 4, None)),
            StepRow("\udc80 step", "step", 2, 650, 10, None),
            StepRow("warm", "mark", 3, 400, None, None),
            StepRow("warm", "mark", 4, 600, None, None),
        ],
    )


@pytest.fixture(params=["memory", "file"])
def recording(request, tmp_path):
    if request.param == "memory":
        return Recording.from_snapshot(aged())
    write(tmp_path / "out.pyusdt", aged())
    return load(tmp_path / "out.pyusdt")


def lives(recording, *moments):
    return [
        (it.record and it.record.name, it.line, it.line_record and it.line_record.name,
         it.bytes, it.blocks)
        for it in recording.living_since(*moments)
    ]  # fmt: skip


def test_what_lives_is_asked_for_by_moments_and_marks(recording):
    native = (None, 0, None, 4000, 1)
    assert lives(recording) == [native, ("append", 12, "work", 123, 6)]
    assert lives(recording, 0, 500) == [("append", 12, "work", 100, 1)]
    assert lives(recording, 500, 700) == [("append", 12, "work", 20, 2)]
    assert lives(recording, "warm") == [native, ("append", 12, "work", 3, 3)]
    assert not lives(recording, 701)


def test_contexts_of_a_line_grow_together(recording):
    first, *rest = recording.growth
    assert (first.record.name, first.line_record.name) == ("append", "work")
    assert (first.line, first.trend.slope, first.trend.low, first.bytes) == (12, 50, 50, 2000)
    assert first.points == [(i, 50 * i) for i in STEPS]
    assert first.name == "\\udc80 step"
    assert first.grows
    assert not any(it.grows for it in rest)


def test_steps_keep_their_memory(recording):
    steps = {it.kind: it for it in recording.steps}
    assert [row.memory for row in steps["step"].rows] == [
        (1, 2, 3, 4, 5), (1, 2, 3, 4, None), None,
    ]  # fmt: skip
    assert steps["step"].memory == [(1, 2, 3, 4, 5), (1, 2, 3, 4, None)]
    assert not steps["mark"].memory


def test_filters_keep_what_lives_with_the_line_or_with_none(recording):
    of_work = recording.only(lambda record: record.name == "work")
    assert lives(of_work) == [(None, 0, None, 4000, 1), ("work", 12, "work", 123, 6)]
    assert of_work.growth[0].record.name == "work"
    of_main = recording.only(lambda record: record.name == "main")
    assert lives(of_main) == [(None, 0, None, 4123, 7)]
    assert not recording.select(process=lambda _: False).growth


def test_what_a_recording_had_keeps_the_memory_of_its_steps():
    found = counts.unpack(pack(aged(), [1, 2]), {})
    assert found.step_memory == {0: (1, 2, 3, 4, 5), 1: (1, 2, 3, 4, None)}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE living SET function = 77", "living names function 77, which is not there"),
        ("UPDATE growth SET line_function = 77", "growth names function 77, which is not there"),
        ("UPDATE growth SET bytes = -1", "growth.bytes is not a number from 0 on (120 rows)"),
        ("UPDATE points SET changing = 'x'", "points.changing is not a number from 0 on (40 rows)"),
        ("UPDATE living SET process = 9", "living name process 9, which is not there"),
        ("UPDATE steps SET peak_bytes = 'x' WHERE kind = 'step'",
         "steps.peak_bytes has a value of another type (3 rows)"),
        ("DROP TABLE growth", "growth is no table"),
    ],
)  # fmt: skip
def test_damaged_rows_are_refused(tmp_path, statement, message):
    path = tmp_path / "out.pyusdt"
    write(path, aged())
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)
    with pytest.raises(UserError) as error:
        load(path)
    assert str(error.value).endswith(message)


def handed_over(living=(), points=(), growth=(), steps=()):
    """Bytes of a process that may make up anything."""
    sizes = [0] * 10 + [2, 0, 0, 0, 0, len(living), len(points), len(growth), len(steps)]
    sizes[8] = 1  # names
    rows = [counts.LIVING.pack(*row) for row in living]
    rows += [counts.POINT.pack(*row) for row in points]
    rows += [counts.GROWTH.pack(*row) for row in growth]
    rows += [counts.STEP_MEMORY.pack(*row) for row in steps]
    rows += [counts.NAME.pack(0), b"s\0"]
    sizes[9], sizes[10:] = 2, sizes[11:]
    return counts.HEAD.pack(1.0, 1, 1, *sizes) + b"".join(rows)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ({}, None),
        ({"living": [(1, 0, 3, 1, 0, 1, 1)], "points": [(1, 1, 0, 1)],
          "growth": [(1, 0, 3, 1, 0, 0, 1)], "steps": [(0, 1, 1, 1, 1, 2**64 - 1)]}, None),
        ({"living": [(1, 0, 7, 1, 0, 1, 1)]}, "no name"),
        ({"living": [(1, 0, 3, -1, 0, 1, 1)]}, "line -1"),
        ({"living": [(1, 0, 3, 1, 0, 2**63, 1)]}, "living memory beyond any"),
        ({"living": [(1, 0, 3, 1, 2**63, 1, 1)]}, "times or counts beyond any"),
        ({"points": [(1, 2**63, 0, 1)]}, "points beyond any"),
        ({"points": [(1, 1, 5, 1)]}, "make no sense"),
        ({"growth": [(1, 0, 3, 1, 0, 0, 1)]}, "point 0 of 0"),
        ({"points": [(1, 1, 0, 1)], "growth": [(1, 0, 3, 1, 0, 0, 2**63)]}, "growth beyond any"),
        ({"steps": [(0, 2**63, 1, 1, 1, 1)]}, "memory of steps beyond any"),
    ],
)  # fmt: skip
def test_what_no_process_has_is_refused(rows, why):
    functions = {3: FunctionRow(3, "app", "f", "f", "/app.py", 1)}
    if why is None:
        plausible.require(counts.unpack(handed_over(**rows), functions), functions)
        return
    with pytest.raises(ValueError, match=why):
        plausible.require(counts.unpack(handed_over(**rows), functions), functions)
