# SPDX-License-Identifier: Apache-2.0
"""Hits and errors of lines, against answers that the programs' own lines have (see by_line.py)."""

from __future__ import annotations

import asyncio
import linecache
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType

import pytest
from harness import DEADLINE, ROOT

import pyusdt
from pyusdt.recording import Recording

from .by_line import NAMES, PROGRAMS, answers, figures, hits, run
from .programs import workloads

WAYS = {"exact": {}, "sampled": {"times": "sampled"}, "C calls": {"c_calls": True}}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_hits_and_errors_of_whole_programs(name: str, way: str) -> None:
    path = PROGRAMS / f"{name}.py"
    source = path.read_text()
    with pyusdt.record(lines="lined", **WAYS[way]) as rec:  # type: ignore[arg-type]
        run(source, str(path))
    assert figures(rec.recording, str(path), source) == answers(source)
    assert "lines" not in rec.losses


def test_a_second_run_is_counted_as_the_first_and_again_is_both() -> None:
    path = PROGRAMS / "suspended.py"
    source = path.read_text()
    with pyusdt.record(lines="lined") as outer:
        run(source, str(path))
        with pyusdt.record(lines="lined") as inner:
            run(source, str(path))
    once = answers(source)
    assert figures(inner.recording, str(path), source) == once
    twice = {key: (2 * hits, 2 * errors) for key, (hits, errors) in once.items()}
    assert figures(outer.recording, str(path), source) == twice


def launched(tmp_path: Path, *words: str | Path) -> Recording:
    out = tmp_path / "out.pyusdt"
    command = [sys.executable, "-m", "pyusdt", "-o", out, *words]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0, done.stderr
    return pyusdt.load(out)


def test_lines_of_a_launched_program(tmp_path: Path) -> None:
    path = PROGRAMS / "suspended.py"
    source = path.read_text()
    recording = launched(tmp_path, "--lines", "*", path)
    assert figures(recording, str(path), source) == answers(source)
    # None of the standard library, but what it makes as text, which lies in no directory.
    assert {row.record.file for row in recording.line_rows} - {"<string>"} == {str(path)}
    kept = recording.source_of(str(path))
    assert kept is not None and kept.text == source


def test_a_pattern_names_what_the_star_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("import json, textwrap\ntextwrap.dedent(' a')\njson.loads('[]')\n")
    recording = launched(tmp_path, "--lines", "textwrap,*", path)
    files = {Path(row.record.file).name for row in recording.line_rows}
    assert files - {"<string>"} == {"script.py", "textwrap.py"}


KERNPROF = """\
@profile
def double(n):
    total = 0
    for i in range(n):  #: 6
        total += i  #: 5
    return other(total)  #: 1

def other(n):
    return 2 * n

double(5)
"""


def test_a_script_for_kernprof_runs_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(KERNPROF.replace("total = 0", "total = 0  #: 1"))
    recording = launched(tmp_path, "--lines", "profile", path)
    source = path.read_text()
    assert figures(recording, str(path), source) == answers(source)


CELL = """\
def area(w, h):  #: 1
    return w * h  #: 2

for n in (1, 2):  #: 3
    area(n, n)  #: 2
"""


@pytest.fixture
def cell() -> Iterator[str]:
    """A cell of a notebook: its text is in linecache only."""
    name = "<ipython-input-1-0123456789ab>"
    linecache.cache[name] = len(CELL), None, CELL.splitlines(keepends=True), name
    yield name
    del linecache.cache[name]


def test_cells_of_a_notebook(cell: str) -> None:
    with pyusdt.record(lines="lined") as rec:
        run(CELL, cell)
    assert figures(rec.recording, cell, CELL) == answers(CELL)
    kept = rec.recording.source_of(cell)
    assert kept is not None and kept.text == CELL


def test_code_of_exec() -> None:
    source = "for i in range(3):  #: 4\n    i += 1  #: 3\n"
    with pyusdt.record(lines="lined") as rec:
        run(source, "<string>")
        for _ in range(50):  # code objects that die, and whose addresses are used again
            run("a = 1\nb = a\n", "<made>")
    assert figures(rec.recording, "<string>", source) == answers(source)
    made = [row for row in rec.recording.line_rows if row.record.file == "<made>"]
    assert sum(row.hits for row in made if row.line == 1) == 50
    assert sum(row.hits for row in made if row.line == 2) == 50


def leaf(n: int) -> int:
    return n + 1


def looped(n: int) -> int:
    total = 0
    for i in range(n):
        total += leaf(i)
    return total


def test_only_the_lines_of_functions_that_match() -> None:
    with pyusdt.record(lines=f"{__name__}:looped") as rec:
        looped(3)
    assert hits(rec.recording, "looped") == {1: 1, 2: 4, 3: 3, 4: 1}
    assert {row.record.qualname for row in rec.recording.line_rows} == {"looped"}
    # Its callee is in the tree as ever.
    assert {"looped", "leaf"} <= {f.record.qualname for f in rec.functions}


def test_recordings_at_once_have_the_lines_of_their_own_time() -> None:
    with pyusdt.record(lines="*:looped") as outer:
        looped(2)
        with pyusdt.record(lines="*:leaf") as inner, pyusdt.record() as without:
            looped(3)
        looped(2)
    # Each has what was recorded while it ran, for whomever: the core counts once for all.
    assert hits(inner.recording, "leaf") == hits(without.recording, "leaf") == {1: 3}
    assert hits(inner.recording, "looped") == {1: 1, 2: 4, 3: 3, 4: 1}
    assert hits(outer.recording, "looped") == {1: 3, 2: 10, 3: 7, 4: 3}


def test_a_frame_that_runs_already_has_its_further_lines() -> None:
    rec = pyusdt.record(lines=__name__)
    with rec:
        for _ in range(3):
            leaf(1)
    found = hits(rec.recording, "test_a_frame_that_runs_already_has_its_further_lines")
    assert [found.get(line) for line in (3, 4)] == [4, 3]


def local_events(code: object) -> list[int]:
    """Of each tool that nobody has."""
    found = []
    for tool in range(6):
        if sys.monitoring.get_tool(tool) is None:
            sys.monitoring.use_tool_id(tool, "looks")
            found.append(sys.monitoring.get_local_events(tool, code))  # type: ignore[arg-type]
            sys.monitoring.free_tool_id(tool)
    return found


def test_nothing_stays_on_in_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with pyusdt.record(lines=__name__):
        looped(2)
    deadline = time.monotonic() + DEADLINE
    while "pyusdt" in map(sys.monitoring.get_tool, range(6)) and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert set(local_events(looped.__code__)) == {0}
    with pyusdt.record() as rec:
        looped(2)
    assert rec.recording.line_rows == []


def test_beside_another_tool_that_wants_lines() -> None:
    seen = []

    def line(code: object, number: int) -> object:
        seen.append(number)
        return sys.monitoring.DISABLE

    tool = sys.monitoring.PROFILER_ID
    sys.monitoring.use_tool_id(tool, "other")
    sys.monitoring.register_callback(tool, sys.monitoring.events.LINE, line)
    try:
        sys.monitoring.set_local_events(tool, looped.__code__, sys.monitoring.events.LINE)
        with pyusdt.record(lines=f"{__name__}:looped") as rec:
            looped(3)
        sys.monitoring.set_local_events(tool, looped.__code__, 0)
    finally:
        sys.monitoring.register_callback(tool, sys.monitoring.events.LINE, None)
        sys.monitoring.free_tool_id(tool)
    assert hits(rec.recording, "looped") == {1: 1, 2: 4, 3: 3, 4: 1}
    assert len(seen) == 5  # it disables places of the bytecode: the loop's head has two


def test_marked_functions_alone() -> None:
    @pyusdt.lines
    def marked(n: int) -> int:
        return other(n) + n

    def other(n: int) -> int:
        return n

    @pyusdt.lines
    def values(n: int):
        for i in range(n):
            yield i * i

    @pyusdt.lines
    async def nap(n: int) -> int:
        await asyncio.sleep(0)
        return n

    class Shape:
        @pyusdt.lines
        @property
        def area(self) -> int:
            return 4

        @pyusdt.lines
        @classmethod
        def make(cls) -> Shape:
            return cls()

        @staticmethod
        @pyusdt.lines
        def twice(n: int) -> int:
            return 2 * n

    with pyusdt.record() as rec:
        marked(1), other(1), list(values(3)), asyncio.run(nap(1))
        Shape.make().area, Shape.twice(2)
    for name, wanted in {
        "marked": {2: 1},
        "values": {2: 4, 3: 3},
        "nap": {2: 1, 3: 1},
        "Shape.area": {3: 1},
        "Shape.make": {3: 1},
        "Shape.twice": {3: 1},
    }.items():
        assert hits(rec.recording, f"<locals>.{name}") == wanted, name
    assert len({row.record.qualname for row in rec.recording.line_rows}) == 6


def test_sampled_times_have_no_line_times() -> None:
    with pyusdt.record(lines=__name__, times="sampled") as rec:
        looped(3)
    assert hits(rec.recording, "looped") == {1: 1, 2: 4, 3: 3, 4: 1}
    assert {(row.total_ns, row.self_ns) for row in rec.recording.line_rows} == {(0, 0)}


PAGE = (ROOT / "docs" / "pages" / "lines.md").read_text()
RULES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(RULES)))
def test_hits_are_what_the_page_about_them_says(number: int) -> None:
    source = RULES[number]
    assert answers(source)
    with pyusdt.record(lines="lined") as rec:
        run(source, "<page>")
    assert figures(rec.recording, "<page>", source) == answers(source)


@pytest.fixture
def another_tool() -> Iterator[Counter[tuple[str, int]]]:
    """What a tool in Python is given: events LINE of workloads.py, by qualified name and line."""
    found: Counter[tuple[str, int]] = Counter()

    def line(code: CodeType, number: int) -> object:
        if code.co_filename != workloads.__file__:
            return sys.monitoring.DISABLE
        found[code.co_qualname, number] += 1
        return None

    tool, events = sys.monitoring.PROFILER_ID, sys.monitoring.events
    sys.monitoring.use_tool_id(tool, "other")
    sys.monitoring.register_callback(tool, events.LINE, line)
    sys.monitoring.register_callback(tool, events.PY_START, lambda *_: sys.monitoring.DISABLE)
    sys.monitoring.set_events(tool, events.LINE | events.PY_START)
    yield found
    sys.monitoring.set_events(tool, 0)
    sys.monitoring.free_tool_id(tool)
    sys.monitoring.restart_events()


@pytest.mark.parametrize("work", workloads.ALL, ids=lambda work: work.__name__)
def test_hits_are_those_that_another_tool_counts(
    work: Callable[[], object], another_tool: Counter[tuple[str, int]]
) -> None:
    with pyusdt.record(lines=workloads.__name__) as rec:
        work()
    sys.monitoring.set_events(sys.monitoring.PROFILER_ID, 0)
    ours: Counter[tuple[str, int]] = Counter()
    for row in rec.recording.line_rows:
        ours[row.record.qualname, row.line] += row.hits
    assert +ours == another_tool
