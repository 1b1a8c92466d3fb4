# SPDX-License-Identifier: Apache-2.0
"""What the recorder writes, the reader reads: any names, paths, lines, marks and times."""

from __future__ import annotations

import ast
import json
import math
import threading
import types

import pytest
import runs
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st
from recordings import snapshot_of

import pyusdt
from pyusdt.main import _run_verb as run_verb
from pyusdt.recording.snapshot import clean

ANY = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TEXT = st.text(st.characters(), max_size=30)  # surrogates and NULs are among them
SHORT = st.text(st.characters(), max_size=9)  # names of threads are cut at 64 bytes
LINE = st.sampled_from([-(2**31), -1, 0, 1, 2**31 - 1]) | st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
COUNT = st.integers(0, 2**32)
VALUE = st.none() | INT64 | st.floats() | TEXT


@st.composite
def functions(draw):
    """Names, a file and a line, each function with others."""
    module = draw(TEXT.filter(lambda name: name[:6] != "pyusdt" and name != "__mp_main__"))
    return module, draw(TEXT), draw(TEXT), draw(TEXT), draw(LINE)


def made(module: str, qualname: str, name: str, file: str, line: int) -> types.FunctionType:
    """A function that is called so, as code that is generated may be."""

    def template():
        return None

    code = template.__code__
    code = code.replace(
        co_name=name, co_qualname=qualname, co_filename=file, co_firstlineno=max(line, 1)
    )
    return types.FunctionType(code, {"__name__": module})


def below(line: int) -> types.FunctionType:
    """A function whose line is less than 1: CPython compiles such a tree."""
    tree = ast.parse("def generated(): return 1")
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = line
    names = {"__name__": "template"}
    exec(compile(tree, "page.html", "exec"), names)
    return names["generated"]


def report(path, capfdbinary) -> dict:
    """What `pyusdt report -f json` prints."""
    capfdbinary.readouterr()
    assert run_verb("report", ["-f", "json", str(path)]) == 0
    return json.loads(capfdbinary.readouterr().out)


def named(text: str) -> str:
    """A name as tracers and the recorder get it: what a terminal obeys is an escape."""
    controls = {c: f"\\x{c:02x}" for c in (*range(0x20), *range(0x7F, 0xA0))}
    return clean(text.translate(controls | {c: f"\\u{c:04x}" for c in (0x2028, 0x2029)}))


def kept(value: object) -> object:
    """What becomes of a mark's value: SQLite has no NaN."""
    if isinstance(value, str):
        return clean(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def are_several(programs: list) -> bool:
    """Whether no two functions are the same once they are in a file."""
    return len({(*map(clean, texts), line) for *texts, line in programs}) == len(programs)


@ANY
@given(st.lists(functions(), min_size=1, max_size=4, unique=True), SHORT, TEXT, VALUE)
@example([("m", "q", "n", "page.html", 1)], "t", "s", "\udc80\0")
@example(
    [("m\udcff", "q\0q", "n\nn", "/srv/\udcff\udcfe.py", 2**31 - 1)], "t\udcff", "\ud800", math.nan
)
@example([("", "", "", "", 1)], "", "", -(2**63))
def test_of_a_real_process(tmp_path, capfdbinary, programs, thread, step, value):
    path = tmp_path / "any.pyusdt"
    calls = [made(*program) for program in programs]

    def work():
        for number, call in enumerate(calls):
            for _ in range(number + 1):
                call()
        with pyusdt.step(step):
            pyusdt.mark(step, value)

    with pyusdt.record(path):
        worker = threading.Thread(target=work, name=thread)
        worker.start()
        worker.join()
    recording = pyusdt.load(path)
    wanted = {}
    for number, (module, qualname, name, file, line) in enumerate(programs):
        # Where several are called the same, they are one function.
        key = *map(named, (module, qualname, name, file)), max(line, 1)
        wanted[key] = wanted.get(key, 0) + number + 1
    found = {tuple(f.record): f.calls for f in recording.functions}
    assert {key: found.get(key) for key in wanted} == wanted
    assert named(worker.name) in [t.name for t in recording.threads]
    (mark,) = [s for s in recording.steps if s.kind == "mark"]
    assert mark.name == named(step)
    assert mark.series == [kept(value)]
    document = report(path, capfdbinary)
    rows = {(f["module"], f["qualname"], f["file"], f["line"]) for f in document["functions"]}
    assert {(key[0], key[1], *key[3:]) for key in wanted} <= rows


@pytest.mark.parametrize("line", [-(2**31), -1, 0])
def test_lines_below_the_first(tmp_path, capfdbinary, line):
    path = tmp_path / "out.pyusdt"
    function = below(line)
    with pyusdt.record(path, only="template"):
        function()
    (found,) = pyusdt.load(path).functions
    assert (found.record.line, found.calls) == (line, 1)
    assert report(path, capfdbinary)["functions"][0]["line"] == line


@ANY
@given(
    st.lists(functions(), min_size=1, max_size=5),
    st.lists(st.tuples(COUNT, COUNT, COUNT, COUNT), min_size=1, max_size=8),
    st.lists(st.tuples(TEXT, st.integers(0, 2**60), INT64 | st.floats() | TEXT), max_size=4),
    INT64,
    INT64,
    st.dictionaries(TEXT, COUNT, max_size=3),
)
@example([("m", "q", "n", "f", 1)], [(1, 1, 1, 1)], [], -1, -(2**63), {})
def test_of_a_part(tmp_path, capfdbinary, programs, figures, marks, started, moment, losses):
    """The same with what no test can bring about: any counts, and clocks that stand anywhere."""
    path = tmp_path / "any.pyusdt"
    assume(are_several(programs))
    path.unlink(missing_ok=True)
    rows = [(number, *program) for number, program in enumerate(programs)]
    nodes = [
        (0, i, i - 1, i % len(rows), calls, resumes, errors, elapsed, elapsed)
        for i, (calls, resumes, errors, elapsed) in enumerate(figures)
    ]
    steps = [(name, "mark", i, start, None, v) for i, (name, start, v) in enumerate(marks)]
    it = snapshot_of([(1, "t", 2**60)], rows, nodes, steps=steps, losses=losses)
    # What has neither a file nor a line is a C function.
    content = runs.beginning(started_ns=started, about={"c_calls": True})
    content += runs.frame(runs.COUNTS, runs.counts_of(it))
    runs.leave(path, content + runs.frame(runs.END, b"exit", moment))
    recording = pyusdt.load(path)
    (process,) = recording.processes
    assert (process.started_ns, process.ended_ns) == (started, moment)
    assert sum(f.calls for f in recording.functions) == sum(row[0] for row in figures)
    assert {tuple(r) for r in recording.records} == {
        (*map(clean, program[:4]), program[4]) for program in programs
    }
    assert sum(recording.losses.values()) == sum(losses.values())
    values = [v for s in recording.steps for v in s.series]
    assert len(values) == len(marks)
    document = report(path, capfdbinary)
    assert sum(f["calls"] for f in document["functions"]) == sum(row[0] for row in figures)


@pytest.mark.parametrize("started", [-(2**63), -1, 0])
def test_a_wall_clock_before_1970(tmp_path, capfdbinary, started):
    path = tmp_path / "out.pyusdt"
    it = snapshot_of([(1, "t", 1)], [(1, "m", "q", "n", "f", -1)], [(0, 0, -1, 1, 1, 0, 0, 1, 1)])
    runs.leave(path, runs.part(it, started_ns=started))
    for kind in (
        "table",
        "html",
        "json",
        "csv",
        "folded",
        "speedscope",
        "pstats",
        "pprof",
        "perfetto",
    ):
        out = tmp_path / f"out.{kind}"
        assert run_verb("report", [str(path), "-f", kind, "-o", str(out)]) == 0
        assert out.stat().st_size > 0
