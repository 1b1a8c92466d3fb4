# SPDX-License-Identifier: Apache-2.0
"""Every file format, read back by its own tool where that is at hand."""

import csv
import gzip
import io
import json
import pstats
from collections import Counter

import pytest
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pprof_proto import profile_proto
from recordings import HOSTILE, MS, hostile, snapshot, snapshot_of, with_lines

from pyusdt import report
from pyusdt.recording import Recording
from pyusdt.recording.snapshot import clean
from pyusdt.report import Options
from pyusdt.report.names import whole

pytestmark = pytest.mark.apart


WRITTEN = sorted(report.FORMATS.keys() - {"recording"})  # which is a copy of a file


def written(recording, name, tmp_path, **options):
    path = tmp_path / f"out{report.FORMATS[name].suffixes[0]}"
    report.write(recording, str(path), report.FORMATS[name], Options(**options))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    return path


@pytest.fixture
def sample():
    return Recording.from_snapshot(snapshot())


@pytest.fixture
def nasty():
    return Recording.from_snapshot(hostile())


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize(
    "data", [with_lines(snapshot()), with_lines(hostile())], ids=["sample", "hostile"]
)
def test_every_format_writes_something(name, data, tmp_path):
    assert written(Recording.from_snapshot(data), name, tmp_path).stat().st_size > 100


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters()), min_size=1, max_size=4))
def test_any_name_through_every_format(tmp_path, names):
    functions = [(i, name, name, name, name, i) for i, name in enumerate(names)]
    nodes = [(0, i, i - 1, i, 1, 0, 0, len(names) - i, 1) for i in range(len(names))]
    steps = [(name, "step", i, i, 5, None) for i, name in enumerate(names)]
    data = with_lines(snapshot_of([(1, names[0], len(names))], functions, nodes, steps=steps))
    for chosen in (report.FORMATS[name] for name in WRITTEN):
        path = tmp_path / "out"
        lines = Options(lines="", full=True)
        for options in (Options(), Options(tree=True), Options(steps=True), lines):
            report.write(Recording.from_snapshot(data), str(path), chosen, options)


def test_folded_stacks_add_up(sample, tmp_path):
    lines = written(sample, "folded", tmp_path).read_text().splitlines()
    assert "MainThread;app:main;app.parser:Parser.parse;app.io:read 10000000" in lines
    assert "worker-1;app:run 45000000" in lines
    assert sum(int(line.rpartition(" ")[2]) for line in lines) == 150 * MS


def test_folded_hostile_names_stay_frames(nasty, tmp_path):
    lines = written(nasty, "folded", tmp_path).read_text().splitlines()
    n = len(HOSTILE)
    assert Counter(len(line.rpartition(" ")[0].split(";")) for line in lines) == dict.fromkeys(
        range(2, n + 2), n
    )
    assert all(part.strip() for line in lines for part in line.rpartition(" ")[0].split(";"))


def cell(name):
    return "'" * name.startswith("=") + whole(clean(name))


def test_csv_reads_back(nasty, sample, tmp_path):
    text = written(nasty, "csv", tmp_path).read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["qualname"] for row in rows} == {cell(name) for name in HOSTILE}
    text = written(sample, "csv", tmp_path, sort="total_ns", top=2).read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["qualname"], row["total_ns"]) for row in rows] == [
        ("main", "100000000"),
        ("Parser.parse", "60000000"),
    ]


def test_csv_of_steps(sample, tmp_path):
    rows = list(
        csv.DictReader(io.StringIO(written(sample, "csv", tmp_path, steps=True).read_text()))
    )
    assert [(row["name"], row["elapsed_ns"], row["value"]) for row in rows] == [
        ("load", "20000000", ""),
        ("size", "", "42"),
        ("load", "40000000", ""),
        ("state", "", "ready"),
    ]


def test_json_holds_everything(nasty, sample, tmp_path):
    names = json.loads(written(nasty, "json", tmp_path).read_bytes())["functions"]
    assert {function["qualname"] for function in names} == {clean(name) for name in HOSTILE}
    document = json.loads(written(sample, "json", tmp_path).read_bytes())
    read = document["functions"][0]
    assert (read["qualname"], read["calls"], read["total_ns"]) == ("read", 20, 55 * MS)
    main = document["threads"][0]["nodes"]
    assert main["parent"] == [-1, 0, 1, 2, 1, 0]
    assert sum(main["self_ns"]) == 100 * MS
    assert [step["series"] for step in document["steps"]] == [[20 * MS, 40 * MS], [42], ["ready"]]
    assert document["losses"] == {"nodes": 3}


def test_pstats_loads_it(sample, nasty, tmp_path):
    text = io.StringIO()
    stats = pstats.Stats(str(written(sample, "pstats", tmp_path)), stream=text)
    stats.sort_stats("tottime").print_stats().print_callers().print_callees()
    assert stats.total_tt == pytest.approx(0.150)
    parse = stats.stats["/srv/parser.py", 10, "Parser.parse"]
    assert parse[:4] == (3, 7, 0.04, 0.06)
    assert parse[4]["/srv/app.py", 1, "main"] == (3, 3, 0.02, 0.06)
    assert "7/3" in text.getvalue()
    pstats.Stats(str(written(nasty, "pstats", tmp_path)), stream=text).print_callers()


def test_speedscope_events_nest_and_add_up(sample, nasty, tmp_path):
    for recording in (sample, nasty):
        document = json.loads(written(recording, "speedscope", tmp_path).read_bytes())
        for profile in document["profiles"]:
            stack, last = [], 0
            for event in profile["events"]:
                assert event["at"] >= last
                last = event["at"]
                if event["type"] == "O":
                    stack.append(event["frame"])
                else:
                    assert stack.pop() == event["frame"]
            assert not stack
            assert last == profile["endValue"]
            assert profile["endValue"] > 0
    document = json.loads(written(sample, "speedscope", tmp_path).read_bytes())
    assert [profile["endValue"] for profile in document["profiles"]] == [100 * MS, 50 * MS]
    assert document["shared"]["frames"][1] == {
        "name": "app.parser:Parser.parse",
        "file": "/srv/parser.py",
        "line": 10,
    }


def test_perfetto_slices_nest(sample, tmp_path):
    document = json.loads(written(sample, "perfetto", tmp_path).read_bytes())
    events = document["traceEvents"]
    began: dict[int, list[dict]] = {}
    lasted = {}
    for event in events:
        if event["ph"] == "B":
            above = began.setdefault(event["tid"], [])
            assert not above or event["ts"] >= above[-1]["ts"]
            above.append(event)
        elif event["ph"] == "E":
            begin = began[event["tid"]].pop()
            lasted[begin["name"], begin["args"]["calls"]] = event["ts"] - begin["ts"]
    assert not any(began.values())
    assert lasted["app:main", 1] == 100_000
    assert lasted["app.parser:Parser.parse", 4] == 30_000
    names = {event["args"]["name"] for event in events if event["ph"] == "M"}
    assert names >= {
        "MainThread (100): totals laid end to end",
        "worker-1 (101): totals laid end to end",
        "steps",
    }
    assert "totals laid end to end" in document["otherData"]["functions"]
    steps = [event for event in events if event.get("cat") in ("step", "mark")]
    assert [(event["name"], event["ph"]) for event in steps] == [
        ("load", "X"), ("size", "i"), ("load", "X"), ("state", "i"),
    ]  # fmt: skip
    assert [event["dur"] for event in steps if event["ph"] == "X"] == [20_000, 40_000]


def test_pprof_decodes_by_its_schema(sample, nasty, tmp_path):
    profile = profile_proto().FromString(
        gzip.decompress(written(sample, "pprof", tmp_path).read_bytes())
    )
    assert len(UnknownFieldSet(profile)) == 0
    text = list(profile.string_table)
    assert text[0] == ""
    assert [(text[t.type], text[t.unit]) for t in profile.sample_type] == [
        ("calls", "count"),
        ("time", "nanoseconds"),
    ]
    assert sum(sample.value[1] for sample in profile.sample) == 150 * MS
    names = {function.id: text[function.name] for function in profile.function}
    line = {location.id: location.line[0] for location in profile.location}
    stacks = {
        tuple(names[line[place].function_id] for place in s.location_id): list(s.value)
        for s in profile.sample
    }
    assert stacks["app.io:read", "app.parser:Parser.parse", "app:main"] == [6, 10 * MS]
    assert {text[s.label[0].str] for s in profile.sample} == {"MainThread", "worker-1"}
    profile = profile_proto().FromString(
        gzip.decompress(written(nasty, "pprof", tmp_path).read_bytes())
    )
    assert {whole(clean(name)) for name in HOSTILE} <= set(profile.string_table)


def test_deep_stacks_do_not_square_the_pprof(tmp_path):
    n = 5_000
    nodes = [(0, i, i - 1, 0, 1, 0, 0, n - i, 1) for i in range(n)]
    data = snapshot_of([(1, "t", n)], [(0, "m", "f", "f", "f", 1)], nodes)
    path = written(Recording.from_snapshot(data), "pprof", tmp_path)
    assert len(gzip.decompress(path.read_bytes())) < n * 1100
