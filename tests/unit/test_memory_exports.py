# SPDX-License-Identifier: Apache-2.0
"""Memory in files for other programs: read back, they have what was recorded."""

import csv
import gzip
import io
import json

import pytest
from memory_recordings import (
    GIVEN_UP,
    KEPT,
    LEAK,
    LIST,
    NATIVE,
    TEXT,
    THREAD,
    WORKER,
    held,
)
from pprof_proto import profile_proto
from recordings import snapshot

from pyusdt import report
from pyusdt.recording import Recording
from pyusdt.recording.memory import total
from pyusdt.report import Options, depth

pytestmark = pytest.mark.apart

ALL = total([KEPT, TEXT, LEAK, LIST, WORKER, THREAD, NATIVE, GIVEN_UP])
OF_WORK = total([TEXT, LEAK, WORKER])
NAMES = [f"{name}_{unit}" for name in ("allocated", "live", "peak", "temporary")
         for unit in ("bytes", "blocks")]  # fmt: skip


@pytest.fixture
def written(tmp_path):
    def write(name, data=None, **options):
        path = tmp_path / "out"
        recording = Recording.from_snapshot(data or held(given_up=True))
        report.write(recording, str(path), report.FORMATS[name], Options(**options))
        return path.read_bytes()

    return write


def named(figures):
    return {name: getattr(figures, name) for name in NAMES} | {"biggest_block": figures.biggest}


def of(row):
    return {name: int(row[name]) for name in (*NAMES, "biggest_block")}


def test_json_has_it_by_function_context_and_line(written):
    it = json.loads(written("json"))
    assert it["pyusdt"] == 5
    assert it["processes"][0]["memory"] == "all"
    functions = {f["name"]: f for f in it["functions"]}
    assert {name: of(f) for name, f in functions.items() if name != "(others)"} == {
        "main": named(KEPT),
        "work": named(OF_WORK),
        "append": named(LIST),
        "small": named(GIVEN_UP),
    }
    index = functions["work"]["index"]
    lines = {row["line"]: of(row) for row in it["lines"] if row["function"] == index}
    assert lines == {7: named(TEXT), 9: named(LEAK.plus(LIST))}
    memory = it["memory"]
    assert (memory.pop("outside"), memory.pop("native")) == (named(THREAD), named(NATIVE))
    assert memory == {"sampled": False, **named(ALL)}


def test_nodes_of_json_have_their_own(written):
    it = json.loads(written("json"))
    names = {f["index"]: f["name"] for f in it["functions"]}
    nodes = it["threads"][0]["nodes"]
    rows = [
        (
            names.get(nodes["function"][i], ""),
            {key: nodes[key][i] for key in (*NAMES, "biggest_block")},
        )
        for i in range(len(nodes["function"]))
    ]
    assert rows == [
        ("main", named(KEPT)),
        ("work", named(TEXT.plus(LEAK))),
        ("append", named(LIST)),
        ("(others)", named(GIVEN_UP)),
    ]


def test_what_was_in_ram_is_in_columns(written):
    (process,) = json.loads(written("json"))["processes"]
    assert process["resident"] == {
        "at_ns": [0, 10_000_000, 20_000_000, 30_000_000, 40_000_000],
        "rss_bytes": [10_000_000, 20_000_000, 30_000_000, 38_000_000, 12_000_000],
        "swap_bytes": [0] * 5,
        "peak_bytes": [40_000_000] * 5,
    }


def test_what_was_not_recorded_is_absent(written):
    it = json.loads(written("json", snapshot()))
    assert "memory" not in it
    assert "resident" not in it["processes"][0]
    assert not [key for f in it["functions"] for key in f if key.endswith("_bytes")]
    assert not [key for key in it["threads"][0]["nodes"] if key.endswith("_bytes")]
    assert b"_bytes" not in written("csv", snapshot())
    assert json.loads(written("json", held(kinds="sampled")))["memory"]["sampled"] is True


def test_csv_has_columns_of_it(written):
    rows = list(csv.DictReader(io.StringIO(written("csv", sort="live_bytes").decode())))
    assert [row["qualname"] for row in rows][:3] == ["work", "list.append", "small"]
    assert of(rows[0]) == named(OF_WORK)
    assert of(rows[1]) == named(LIST)
    lines = list(csv.DictReader(io.StringIO(written("csv", lines="work").decode())))
    assert [(row["line"], of(row)) for row in lines] == [
        ("7", named(TEXT)),
        ("9", named(LEAK.plus(LIST))),
    ]
    assert lines[0]["source"] == "text = bytes(4_000_000)"


def profile(data):
    found = profile_proto()()
    found.ParseFromString(gzip.decompress(data))
    return found


TYPES = {
    "alloc_objects": ("count", "allocated_blocks"),
    "alloc_space": ("bytes", "allocated_bytes"),
    "inuse_objects": ("count", "live_blocks"),
    "inuse_space": ("bytes", "live_bytes"),
    "peak_objects": ("count", "peak_blocks"),
    "peak_space": ("bytes", "peak_bytes"),
}


def test_pprof_has_the_sample_types_of_heap_profiles(written):
    it = profile(written("pprof"))
    texts = it.string_table
    types = [(texts[t.type], texts[t.unit]) for t in it.sample_type]
    assert types == [
        ("calls", "count"),
        ("time", "nanoseconds"),
        *((name, unit) for name, (unit, _) in TYPES.items()),
    ]
    names = {f.id: texts[f.name] for f in it.function}
    stacks = {
        tuple(names[place] for place in sample.location_id)[::-1]: list(sample.value[2:])
        for sample in it.sample
    }
    assert stacks == {
        stack: [getattr(figures, field) for _, field in TYPES.values()]
        for stack, figures in {
            ("app:main",): KEPT,
            ("app:main", "app:work"): TEXT.plus(LEAK),
            ("app:main", "app:work", "builtins:list.append"): LIST,
            ("app:work",): WORKER,
            ("(others)",): GIVEN_UP,
            ("(outside of functions)",): THREAD,
            ("(native)",): NATIVE,
        }.items()
    }
    assert all(len(sample.value) == len(types) for sample in it.sample)


def test_pprof_has_none_of_it_where_it_was_not_recorded(written):
    it = profile(written("pprof", snapshot()))
    assert not {*TYPES, "(native)"} & set(it.string_table)


@pytest.mark.parametrize(
    ("weight", "field"),
    [
        ("peak", "peak_bytes"),
        ("peak:blocks", "peak_blocks"),
        ("allocated", "allocated_bytes"),
        ("allocated:blocks", "allocated_blocks"),
        ("live", "live_bytes"),
        ("live:blocks", "live_blocks"),
        ("temporary", "temporary_bytes"),
    ],
)
def test_folded_stacks_weigh_bytes_and_blocks(written, weight, field):
    lines = written("folded", weight=weight).decode().splitlines()
    stacks = {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in lines}
    expected = {
        "MainThread;app:main": KEPT,
        "MainThread;app:main;app:work": TEXT.plus(LEAK),
        "MainThread;app:main;app:work;builtins:list.append": LIST,
        "MainThread;(others)": GIVEN_UP,
        "worker-1": THREAD,
        "worker-1;app:work": WORKER,
        "(native)": NATIVE,
    }
    assert stacks == {k: getattr(v, field) for k, v in expected.items() if getattr(v, field)}
    assert sum(stacks.values()) == getattr(ALL, field)


def test_speedscope_has_profiles_of_it(written):
    profiles = json.loads(written("speedscope"))["profiles"]
    found = {it["name"]: (it["unit"], it["endValue"]) for it in profiles}
    of_main = total([KEPT, TEXT, LEAK, LIST, GIVEN_UP])
    assert found == {
        "MainThread: wall": ("nanoseconds", 100),
        "MainThread: peak": ("bytes", of_main.peak_bytes),
        "MainThread: allocated": ("bytes", of_main.allocated_bytes),
        "MainThread: live": ("bytes", of_main.live_bytes),
        "worker-1: wall": ("nanoseconds", 50),
        "worker-1: allocated": ("bytes", WORKER.allocated_bytes),
        "worker-1: live": ("bytes", WORKER.live_bytes),
    }


def test_stacks_that_are_cut_lose_nothing(written, monkeypatch):
    monkeypatch.setattr(depth, "DEEPEST", 1)
    lines = written("folded", weight="allocated").decode().splitlines()
    assert sum(int(line.rpartition(" ")[2]) for line in lines) == ALL.allocated_bytes
    assert any("(deeper)" in line for line in lines)
