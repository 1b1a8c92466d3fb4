# SPDX-License-Identifier: Apache-2.0
"""Files for other programs: what these obey is escaped, and what they cannot take is cut."""

import csv
import gzip
import io
import json
import pstats
import re
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import HOSTILE, MS, hostile, snapshot_of

from pyusdt import report
from pyusdt.recording import Recording
from pyusdt.report import Options, depth
from pyusdt.report.lanes import lanes_of

pytestmark = pytest.mark.apart

TEXTS = ("json", "html", "csv", "folded", "speedscope", "perfetto")


@pytest.fixture
def written(tmp_path):
    def write(data, name, **options):
        path = tmp_path / "out"
        report.write(
            Recording.from_snapshot(data), str(path), report.FORMATS[name], Options(**options)
        )
        return path.read_bytes()

    return write


def recursion(n, functions=2, *, own=1):
    """`n` levels of `functions` that call each other in turn, `own` ns each."""
    return snapshot_of(
        threads=[(1, "t", n * own)],
        functions=[(i, "m", f"f{i}", f"f{i}", "f.py", i) for i in range(functions)],
        nodes=[(0, i, i - 1, i % functions, 1, 0, 0, (n - i) * own, own) for i in range(n)],
    )


def test_no_file_has_what_a_terminal_obeys(written):
    odd = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
    for name in TEXTS:
        for steps in (False, True):
            text = written(hostile(), name, steps=steps).decode().replace("\r\n", "\n")
            assert not odd.search(text), (name, odd.search(text))
    data = gzip.decompress(written(hostile(), "pprof"))
    assert b"\x1b[31m" not in data
    assert b"\x1b[31m" not in written(hostile(), "pstats")


def test_pstats_lists_a_function_a_line(written, tmp_path):
    (tmp_path / "x.pstats").write_bytes(written(hostile(), "pstats"))
    out = io.StringIO()
    stats = pstats.Stats(str(tmp_path / "x.pstats"), stream=out)
    stats.print_stats()
    assert out.getvalue().count("\n") == len(HOSTILE) + 9


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1"])
def test_a_spreadsheet_computes_nothing(written, name):
    data = snapshot_of(
        threads=[(1, "t", MS)],
        functions=[(0, name, name, name, name, -1)],
        nodes=[(0, 0, -1, 0, 1, 0, 0, MS, MS)],
        steps=[(name, "mark", 0, 0, None, name), ("n", "mark", 1, 0, None, -5)],
    )
    (row,) = csv.DictReader(io.StringIO(written(data, "csv").decode()))
    assert {row[key][0] for key in ("module", "qualname", "file")} == {"'"}
    assert row["line"] == "-1"
    step, number = csv.DictReader(io.StringIO(written(data, "csv", steps=True).decode()))
    assert step["name"][0] == step["value"][0] == "'"
    assert number["value"] == "-5"


DEEP = 30_000


def test_a_deep_recursion_fits_into_a_folded_file(written):
    data = written(recursion(DEEP), "folded")
    lines = data.decode().splitlines()
    assert len(data) < 5_000_000
    assert sum(int(line.rpartition(" ")[2]) for line in lines) == DEEP
    assert lines[-1].endswith(f";(deeper) {DEEP - depth.DEEPEST}")
    assert max(line.count(";") for line in lines) == depth.DEEPEST + 1


def test_a_deep_recursion_opens_in_speedscope(written):
    document = json.loads(written(recursion(DEEP), "speedscope"))
    (profile,) = document["profiles"]
    level = deepest = 0
    for event in profile["events"]:
        level += 1 if event["type"] == "O" else -1
        deepest = max(deepest, level)
    assert deepest == depth.DEEPEST + 1
    assert profile["endValue"] == DEEP
    assert document["shared"]["frames"][2]["name"] == "(deeper)"


def test_a_deep_recursion_opens_in_perfetto(written):
    events = json.loads(written(recursion(DEEP, own=1000), "perfetto"))["traceEvents"]
    ends = [event["ts"] for event in events if event["ph"] == "E"]
    assert len(ends) == 251  # it nests no more than 255
    assert ends[-1] == DEEP
    assert sum(e["args"]["calls"] for e in events if e["ph"] == "B") == DEEP


def test_a_deep_recursion_keeps_its_time_in_pprof(written):
    assert len(gzip.decompress(written(recursion(DEEP), "pprof"))) < 5_000_000


def test_many_deep_stacks_are_cut_to_a_size(written, monkeypatch):
    """3,000 leaves, 60 levels deep."""
    monkeypatch.setattr(depth, "MOST_BYTES", 200_000)
    data = recursion(60, 60)
    data.nodes += [
        data.nodes[0]._replace(node=60 + i, parent=59, function=i % 60, elapsed_ns=2, self_ns=2)
        for i in range(3_000)
    ]
    text = written(data, "folded")
    assert len(text) < 250_000
    assert sum(int(line.rpartition(b" ")[2]) for line in text.splitlines()) == 60 + 6_000
    assert text.splitlines()[-1].endswith(b";(deeper) 6000")


def test_what_is_not_deep_is_not_changed():
    recording = Recording.from_snapshot(recursion(depth.DEEPEST))
    assert depth.cut(recording) is recording
    assert depth.cut_to_size(recording, lambda _: 3) is recording


intervals = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 100)), max_size=60)


@given(intervals)
def test_intervals_on_a_lane_nest_or_are_apart(some):
    ordered = sorted(((a, a + n) for a, n in some), key=lambda it: (it[0], -it[1]))
    lanes = defaultdict(list)
    for interval, lane in zip(ordered, lanes_of(ordered), strict=True):
        lanes[lane].append(interval)
    for on_one in lanes.values():
        for i, (begin, end) in enumerate(on_one):
            for later, its_end in on_one[i + 1 :]:
                assert later >= end or its_end <= end, (begin, end, later, its_end)
    assert set(lanes) == set(range(len(lanes)))


def test_concurrent_steps_are_on_tracks_of_their_own(written):
    """Four tasks that begin after each other and end after each other; a step within the first."""
    steps = [(f"job {i}", "step", i, 1000 * i * MS, 2500 * MS, None) for i in range(4)]
    steps.append(("within", "step", 9, 100 * MS, 200 * MS, None))
    data = snapshot_of([(1, "t", MS)], [(0, "m", "f", "f", "f", 1)], [], steps=steps)
    events = json.loads(written(data, "perfetto"))["traceEvents"]
    tids = {event["name"]: event["tid"] for event in events if event["ph"] == "X"}
    assert tids["job 0"] == tids["within"] == tids["job 3"]
    assert len({tids[f"job {i}"] for i in range(3)}) == 3
    names = [e["args"]["name"] for e in events if e["name"] == "thread_name"]
    assert names[:3] == ["steps", "steps 2", "steps 3"]


def test_very_many_concurrent_steps_take_no_long_time():
    n = 100_000
    assert len(set(lanes_of((i * 10, i * 10 + 10**9) for i in range(n)))) == n
