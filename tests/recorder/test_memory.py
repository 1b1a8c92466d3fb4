# SPDX-License-Identifier: Apache-2.0
"""What is allocated, by whom, and what is alive, against figures that were computed by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import DEADLINE, ROOT

import pyusdt
from pyusdt.recording import Recording
from pyusdt.recording.memory import NOTHING, MemoryFigures

from .programs import allocates
from .programs.allocates import BYTES, KB, LARGE

PROGRAM = Path(allocates.__file__)
LINES = {
    line.partition("# ")[2]: number
    for number, line in enumerate(PROGRAM.read_text().splitlines(), 1)
    if "  # " in line
}


def at(recording: Recording, mark: str) -> MemoryFigures:
    """What was allocated at the line with that comment, by it and the functions in C there."""
    sum_ = NOTHING
    for row in recording.memory_rows:
        of = row.line_record
        if of and of.file == str(PROGRAM) and row.line == LINES[mark]:
            sum_ = sum_.plus(row.figures)
    return sum_


def of_function(recording: Recording, name: str) -> MemoryFigures:
    sum_ = NOTHING
    for row in recording.memory_rows:
        if row.record and row.record.qualname == name:
            sum_ = sum_.plus(row.figures)
    return sum_


def recorded(call: Callable[[], object], **options: Any) -> Recording:
    """Of a second call: at the first one, the interpreter and we learn the code."""
    rec = pyusdt.record(lines=allocates.__name__, memory=True, **options)
    for _ in range(2):
        allocates.kept.clear()
        rec = pyusdt.record(lines=allocates.__name__, memory=True, **options)
        with rec:
            call()
    return rec.recording


WAYS: dict[str, dict[str, Any]] = {"": {}, "C calls": {"c_calls": True}}


@pytest.fixture(params=WAYS)
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    return WAYS[request.param]


def test_blocks_and_bytes_by_line(options: dict[str, Any]) -> None:
    held: list[Any] = []
    found = at(recorded(lambda: held.append(allocates.texts(100, 4000)), **options), "made")
    assert found.allocated_bytes - 100 * (BYTES + 4000) in range(5000)  # and integers of range()
    assert found.live_bytes == 100 * (BYTES + 4000)
    assert found.live_blocks == 100
    assert found.biggest == BYTES + 4000


def test_a_leak_is_alive_at_the_end(options: dict[str, Any]) -> None:
    recording = recorded(lambda: allocates.leak(1000), **options)
    found = at(recording, "leaked")
    grown = sys.getsizeof(allocates.kept) - sys.getsizeof([])
    assert found.live_bytes == 1000 * (BYTES + KB) + grown
    assert found.live_blocks == 1001
    assert found.temporary_blocks == 0


def test_a_temporary_block_is_at_the_peak_and_not_alive(options: dict[str, Any]) -> None:
    found = at(recorded(allocates.temporary, **options), "for a moment")
    assert found.biggest in (LARGE + 1, LARGE + BYTES)  # from 3.15 on, a bytearray has bytes
    assert found.peak_bytes == found.allocated_bytes == found.biggest + sys.getsizeof(bytearray())
    assert found.temporary_bytes == found.freed_bytes == found.allocated_bytes
    assert found.live_bytes == 0


def test_what_is_at_the_peak(options: dict[str, Any]) -> None:
    recording = recorded(allocates.peak, **options)
    assert at(recording, "below the peak").peak_bytes == 10 * KB + BYTES
    assert at(recording, "at the peak").peak_bytes == 500 * KB + BYTES
    assert at(recording, "after the peak").peak_bytes == 0
    assert at(recording, "after the peak").allocated_bytes == 100 * KB + BYTES


def test_threads_that_free_the_blocks_of_each_other() -> None:
    recording = recorded(lambda: allocates.exchange(500, 3000))
    found = at(recording, "given away")
    assert found.allocated_bytes - 1000 * (BYTES + 3000) in range(100_000)
    assert found.live_bytes == 0
    assert of_function(recording, "clear").freed_bytes < 500 * 3000
    by_thread: dict[int, int] = defaultdict(int)
    for row in recording.memory:
        if row.function >= 0 and recording.records[row.function].qualname == "fill":
            by_thread[row.thread] += row.figures.freed_bytes
    assert sorted(by_thread.values()) == [pytest.approx(500 * (BYTES + 3000), rel=0.05)] * 2


def test_without_memory_nothing_is_known_of_it() -> None:
    with pyusdt.record() as rec:
        allocates.texts(10, 10)
    assert rec.recording.memory_rows == []
    assert "memory" not in rec.recording.known


def test_one_recording_within_another_has_its_own_part() -> None:
    held: list[Any] = []
    with pyusdt.record(memory=True, lines=allocates.__name__) as outer:
        held.append(allocates.texts(10, 4000))
        with pyusdt.record(memory=True, lines=allocates.__name__) as inner:
            held.append(allocates.texts(20, 4000))
        held.append(allocates.texts(30, 4000))
    assert at(inner.recording, "made").live_bytes == 20 * (BYTES + 4000)
    assert at(outer.recording, "made").live_bytes == 60 * (BYTES + 4000)


def launched(out: Path, *words: str | Path, **variables: str) -> Recording:
    command = [sys.executable, *words]
    done = subprocess.run(
        command,
        cwd=ROOT / "tests",
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return pyusdt.load(out)


CODE = "from recorder.programs import allocates; allocates.leak(100); allocates.temporary()"
RUN = ("-m", "pyusdt", "--memory=python", "--lines", "recorder")


@pytest.mark.parametrize(
    ("before", "malloc"),
    [
        ((), ""),
        ((), "malloc"),
        ((), "debug"),
        (("-X", "dev"), ""),
        (("-X", "tracemalloc"), ""),
        (("-X", "tracemalloc"), "debug"),
    ],
)
def test_whatever_hooks_were_there_before(
    before: tuple[str, ...], malloc: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.pyusdt"
    recording = launched(out, *before, *RUN, "-o", out, "-c", CODE, PYTHONMALLOC=malloc)
    assert recording.losses == {}
    found = at(recording, "leaked")
    assert found.live_bytes - 100 * (BYTES + KB) in range(1000)  # and the list, as it grows
    assert found.live_blocks == 101
    assert at(recording, "for a moment").peak_bytes > LARGE


def in_a_child(code: str, **variables: str) -> Any:
    """What it prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "tests",
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), "."])} | variables,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


BOTH = """
import gc, json, tracemalloc
from pyusdt import libpyusdt as core
from recorder.programs import allocates

def work():
    allocates.leak(1000)
    allocates.texts(100, 4000)
    allocates.temporary()

def measure(call):
    traced = tracemalloc.get_traced_memory()[0]
    ours = core.allocated()[0]
    call()
    now = core.allocated()[0]
    return tracemalloc.get_traced_memory()[0] - traced, now - ours

def record(on):
    core.record(False, False, 1000, "", "", "", False, 1) if on else core.record_stop()

gc.disable()
FIRST
for _ in range(5):  # what is made at the first time, is, and what was there before is gone
    nothing, found = measure(int), measure(work)
print(json.dumps([nothing, found]))
"""


def test_totals_are_those_of_tracemalloc() -> None:
    """It was there first, so that its own memory is none of ours. The figures themselves are a few
    integers more."""
    code = BOTH.replace("FIRST", "tracemalloc.start(); record(True)")
    nothing, found = in_a_child(code)
    assert found[0] - nothing[0] == found[1] - nothing[1] > 1000 * KB


def test_tracemalloc_comes_and_goes_while_memory_is_recorded() -> None:
    """Its own memory is the program's then."""
    code = BOTH.replace("FIRST", "record(True); tracemalloc.start()")
    nothing, found = in_a_child(code)
    assert found[1] - nothing[1] >= found[0] - nothing[0] > 1000 * KB


HOOKS = """
import ctypes, json, tracemalloc
from pyusdt import libpyusdt as core
import pyusdt

class Allocator(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free")]

def hooks():
    found = Allocator()
    all_ = []
    for domain in range(3):
        ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(found))
        all_.append([getattr(found, name) for name, _ in Allocator._fields_])
    return all_

def held(n):
    kept = []
    with pyusdt.record(memory="python") as rec:
        for _ in range(n):
            kept.append(bytes(1000))
    return rec.recording.memory_totals.live_blocks >= n

before = hooks()
"""


def test_no_hook_stays_where_nobody_came_after() -> None:
    code = "print(json.dumps([held(100), before == hooks()]))"
    assert in_a_child(HOOKS + code) == [True, True]


def test_hooks_that_cannot_leave_pass_on_and_work_again() -> None:
    code = """
with pyusdt.record(memory="python"):
    tracemalloc.start()
over = hooks() != before  # those of tracemalloc, which call ours
again = held(100)
tracemalloc.stop()
left = hooks() != before  # ours, which tracemalloc has put back
once_more = held(100)
print(json.dumps([over, again, left, once_more, before == hooks(), core.allocated()]))
"""
    assert in_a_child(HOOKS + code) == [True, True, True, True, True, [0, 0, 0, 0]]


def test_hooks_that_another_tool_has_thrown_out_come_again() -> None:
    code = """
tracemalloc.start()
with pyusdt.record(memory="python"):
    tracemalloc.stop()  # puts back what it had found, without ours
gone = hooks() == before
print(json.dumps([gone, held(100), before == hooks()]))
"""
    assert in_a_child(HOOKS + code) == [True, True, True]


REPLACED = "times that another tool has put out the hooks of memory"


@pytest.mark.parametrize(("look", "found"), [("", False), ("rec.functions", True)])
def test_hooks_that_another_tool_has_thrown_out_are_a_loss(look: str, found: bool) -> None:
    """They are back once counts have been taken."""
    code = f"""
tracemalloc.start()
with pyusdt.record(memory="python") as rec:
    tracemalloc.stop()
    {look}
    kept = [bytes(1000) for _ in range(100)]
print(json.dumps([rec.losses, rec.recording.memory_totals.live_blocks >= 100]))
"""
    assert in_a_child(HOOKS + code) == [{REPLACED: 1}, found]


FORKS = """
import os
from recorder.programs import allocates
allocates.leak(100)
pid = os.fork()
allocates.kept.clear()
allocates.leak(200)
if pid:
    assert os.waitpid(pid, 0)[1] == 0
"""


def test_the_child_of_a_fork_has_blocks_of_its_own(tmp_path: Path) -> None:
    out = tmp_path / "out.pyusdt"
    recording = launched(out, *RUN, "-o", out, "-c", FORKS)
    parent, child = sorted(recording.processes, key=lambda process: process.forked)
    assert child.forked and not parent.forked
    found = at(recording.select(process=lambda it: it is child), "leaked")
    assert found.allocated_bytes == found.live_bytes + found.freed_bytes
    assert found.live_bytes - 200 * (BYTES + KB) in range(2500)
    assert found.freed_bytes < 20 * KB  # as the list grows; what was there before is not its own
    found = at(recording.select(process=lambda it: it is parent), "leaked")
    assert found.live_bytes - 200 * (BYTES + KB) in range(2500)
    assert found.freed_bytes > 100 * KB


def test_samples_stand_for_all_that_is_allocated() -> None:
    """200 MB are 400 samples: their deviation is 5%."""
    with pyusdt.record(lines=allocates.__name__, memory="sampled") as rec:
        held = allocates.texts(10_000, 20_000)
    assert len(held) == 10_000
    assert rec.recording.processes[0].memory == "sampled"
    found = at(rec.recording, "made")
    assert found.live_bytes == pytest.approx(10_000 * (20_000 + BYTES), rel=0.3)
    assert found.live_blocks == pytest.approx(10_000, rel=0.3)
    assert found.biggest in (BYTES + 20_000, 0)


def test_every_block_where_another_recorder_wants_that() -> None:
    sampled = pyusdt.record(lines=allocates.__name__, memory="sampled")
    exact = pyusdt.record(lines=allocates.__name__, memory="python")
    with sampled as outer, exact as inner:
        held = allocates.texts(100, 4000)
    assert at(inner.recording, "made").live_bytes == 100 * (BYTES + 4000)
    assert at(outer.recording, "made").live_bytes == 100 * (BYTES + 4000)
    assert held


@pytest.mark.parametrize("asked", ["", "Python", "no", 1.5])
def test_memory_that_there_is_none_of(asked: Any) -> None:
    with pytest.raises(ValueError, match="memory is a bool"):
        pyusdt.record(memory=asked)
