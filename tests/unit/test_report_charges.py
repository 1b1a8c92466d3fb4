# SPDX-License-Identifier: Apache-2.0
"""Reports of a recording with a sampler: what comes first, who waits, and what files carry."""

import csv
import gzip
import io
import json
import re
from collections import Counter
from dataclasses import replace

import pytest
from pprof_proto import profile_proto
from recordings import MS, charged, given_up, hostile, snapshot, snapshot_of, with_lines

from pyusdt import report
from pyusdt.errors import UsageError, UserError
from pyusdt.recording import Process, Recording
from pyusdt.recording.account import account
from pyusdt.recording.charges import KINDS, Charges
from pyusdt.report import Options, order, weights
from pyusdt.report.bars import legend, made_of
from pyusdt.report.place import place, roots
from pyusdt.report.readings import Reading, reading, sampled
from pyusdt.report.waits import waits

pytestmark = pytest.mark.apart


@pytest.fixture
def sample():
    return Recording.from_snapshot(charged())


@pytest.fixture
def old():
    return Recording.from_snapshot(snapshot())


@pytest.fixture
def written(tmp_path, monkeypatch):
    """written(recording, format, **options): the bytes of the report."""
    monkeypatch.setenv("COLUMNS", "200")

    def write(recording, name, **options):
        path = tmp_path / "out"
        report.write(recording, str(path), report.FORMATS[name], Options(**options))
        return path.read_bytes()

    return write


def names(recording, sort):
    chosen = order.chosen(recording, sort)
    return [f.record.name for f in order.ordered(recording, chosen)]


def test_work_comes_first_and_what_idles_last(sample, old):
    assert names(sample, None) == ["work", "sorted", "main", "read", "_worker"]
    assert names(sample, "wall") == ["_worker", "work", "read", "sorted", "main"]
    assert names(old, None) == names(old, "self") == ["read", "run", "parse", "main"]


def test_what_idles_comes_last_whatever_cpu_time_that_takes(written):
    """A loop that uses more CPU time in its poll than others for their work."""
    functions = [(i, "app", name, name, "/a.py", i) for i, name in enumerate(("loop", "a", "b"))]
    data = snapshot_of(
        [(1, "t", MS)],
        functions,
        [(0, i, -1, i, 1, 0, 0, 1000 * MS - i, 1000 * MS - i) for i in range(3)],
        charges=[
            (0, 0, 0, "user", 0, 50, 50 * MS),
            (0, 0, 0, "poll", 0, 900, 900 * MS),
            (0, 0, 0, "runnable", 0, 50, 500 * MS),
            (0, 1, 1, "user", 0, 9, 9 * MS),
            (0, 2, 2, "net", 0, 99, 99 * MS),
        ],
    )
    recording = Recording.from_snapshot(data)
    assert names(recording, None) == ["a", "b", "loop"]
    assert names(recording, "cpu") == ["loop", "a", "b"]
    lines = written(recording, "table", top=1).decode().splitlines()
    assert [line.split()[-3] for line in lines if "/a.py" in line] == ["a", "loop"]
    assert "1 more functions: --top 3" in lines


@pytest.mark.parametrize(
    ("sort", "first"),
    [("wait", "_worker"), ("lock", "_worker"), ("gil", "work"), ("disk", "read"),
     ("system", "work"), ("runnable", "main"), ("native", "work"), ("calls", "work"),
     ("name", "main")],
)  # fmt: skip
def test_sorting(sample, sort, first):
    assert names(sample, sort)[0] == first


@pytest.mark.parametrize("sort", sorted(order.SORTS.keys() - order.MEMORY.keys()))
def test_every_order_is_one_of_every_table(sample, written, sort):
    field = order.chosen(sample, sort)
    for options in ({}, {"tree": True}, {"modules": True}):
        assert b" app" in written(sample, "table", sort=field, **options)
    for name in ("csv", "json"):
        assert b"work" in written(sample, name, sort=field)


def test_an_order_by_what_is_not_known_is_refused(old, sample):
    with pytest.raises(UsageError) as e:
        order.chosen(old, "gil")
    assert str(e.value) == (
        "report: --sort gil: CPU and waits were not recorded;"
        " there are self, wall, total, calls, errors, p50, p99, name"
    )
    without_c = sample.only(lambda record: not record.is_c)
    with pytest.raises(UsageError, match=r"--sort native: C calls were not .* there are cpu, "):
        order.chosen(without_c, "native")


def test_the_kernels_waits_take_the_place_of_sampled_ones():
    recording = Recording.from_snapshot(charged(kernel=True))
    by_name = {f.record.name: f for f in recording.functions}
    assert reading(by_name["_worker"], "wait") == Reading(199 * MS, None)
    assert reading(by_name["read"], "net") == Reading(0, None)
    assert reading(by_name["work"], "gil") == Reading(7 * MS, 2)  # no off-CPU was seen there
    found = {(recording.records[w.function].name, w.kind): w.time for w in waits(recording)}
    assert found["read", "disk"] == Reading(11 * MS, None)
    assert ("read", "net") not in found


def test_own_time_is_the_limit_of_what_few_looks_have_found():
    many = sampled(Charges([("sleep", 0, 100, 502 * MS)]), "sleep", 500 * MS)
    assert str(many) == "~500 ms"
    few = sampled(Charges([("sleep", 0, 1, 9 * MS)]), "sleep", 4 * MS)
    assert (str(few), few.of(40 * MS)) == ("<4.00 ms", "<10.0%")


def test_who_waits_for_what(sample):
    records = sample.records
    found = [
        (records[w.function].name, w.caller if w.caller is None else records[w.caller].name, w.kind,
         w.time.ns // MS, w.time.looks)
        for w in waits(sample)
    ]  # fmt: skip
    assert found[0] == ("_worker", None, "lock", 198, 198)
    assert ("read", "main", "disk", 10, 10) in found
    assert [it for it in found if it[2] == "gil"] == [
        ("work", "main", "gil", 5, 1), ("work", "work", "gil", 2, 1),
    ]  # fmt: skip
    assert sum(w.time.ns for w in waits(sample)) == account(sample).charges.wait_ns
    assert {w.kind for w in waits(sample, "gil")} == {"gil"}


def test_waits_of_contexts_that_were_given_up_have_no_caller():
    data = given_up()
    rows = [(0, 1, 2, "lock", 0, 5, 5 * MS), (0, -1, 2, "lock", 0, 7, 7 * MS)]
    data = replace(data, charges=snapshot_of(charges=rows).charges, sampled=True)
    found = [(w.caller, w.time.ns // MS) for w in waits(Recording.from_snapshot(data))]
    assert found == [(None, 7), (0, 5)]


def test_why_there_are_no_waits(old, sample, written):
    with pytest.raises(UserError, match="waits were not recorded: no sampler ran, and no --kernel"):
        written(old, "table", waits=True)
    with pytest.raises(UserError, match="no function waited for child in any look"):
        written(sample, "table", waits=True, sort="child")


def test_the_header_says_what_is_sampled(sample, written):
    exact = written(sample, "table").decode()
    assert "CPU and waits are sampled (~), calls and wall times exact, " in exact
    times = replace(charged(), times="sampled")
    text = written(Recording.from_snapshot(times), "table").decode()
    assert "times, CPU and waits are sampled (~), calls exact\n" in text
    blind = replace(sample.processes[0], id=9, pid=77, sampled=False, times="sampled")
    some = replace(sample, processes=[*sample.processes, blind])
    text = written(some, "table").decode()
    assert "and of some processes all times; calls are exact\n" in text
    assert "1 process without a sampler: no CPU and no waits\n" in text
    partly = replace(sample.processes[0], kernel="it was\nlost")
    text = written(replace(sample, processes=[partly]), "table").decode()
    assert f"the kernel's account of process {partly.pid}: it was\\nlost\n" in text


def test_a_bar_has_a_cell_for_each_part():
    assert made_of(75, {"gil": 25}).plain == "██████gg"
    assert made_of(0, {"sleep": 1, "net": 1}).plain == "ssssnnnn"
    assert made_of(0, {}).plain == ""
    assert made_of(999, {"lock": 1}).plain == "████████"
    assert legend({"net", "cpu", "gil"}, 19).plain == "█ cpu  g gil  n net"
    assert legend({"net", "cpu", "gil"}, 18).plain == "█ cpu  g gil\nn net"


def own(profile):
    """Frames that are on top -> how long, of an evented profile."""
    found, stack, last = Counter(), [], 0
    for event in profile["events"]:
        if stack:
            found[stack[-1]] += event["at"] - last
        last = event["at"]
        if event["type"] == "O":
            stack.append(event["frame"])
        else:
            assert stack.pop() == event["frame"]
    assert not stack
    assert last == profile["endValue"]
    return +found


def test_speedscope_has_a_profile_of_each_time(sample, written):
    document = json.loads(written(sample, "speedscope"))
    frames = [frame["name"] for frame in document["shared"]["frames"]]
    found = {
        profile["name"]: {frames[i]: ns // MS for i, ns in own(profile).items()}
        for profile in document["profiles"]
    }
    assert next(iter(found)) == "MainThread: cpu"
    assert found["MainThread: cpu"] == {"app:main": 9, "app:work": 33, "builtins:sorted": 20}
    assert found["MainThread: wall"] == {
        "app:main": 10, "app:work": 40, "builtins:sorted": 20, "app:read": 30,
    }  # fmt: skip
    assert found["MainThread: wait"] == {"app:main": 1, "app:work": 7, "app:read": 30}
    assert found["worker-1: wait"] == {"concurrent.futures.thread:_worker": 198}


def test_pprof_has_a_sample_type_of_each_time(sample, written):
    profile = profile_proto().FromString(gzip.decompress(written(sample, "pprof")))
    text = list(profile.string_table)
    types = [text[kind.type] for kind in profile.sample_type]
    assert types[:4] == ["calls", "wall", "cpu", "wait"]
    assert set(types[4:]) == {f"wait:{kind}" for kind in account(sample).charges.waits}
    assert text[profile.default_sample_type] == "cpu"
    sums = [sum(column) for column in zip(*(s.value for s in profile.sample), strict=True)]
    assert dict(zip(types, (n // MS for n in sums), strict=True)) | {"calls": 0} == {
        "calls": 0, "wall": 300, "cpu": 63, "wait": 236, "wait:gil": 7, "wait:lock": 198,
        "wait:poll": 9, "wait:net": 10, "wait:disk": 10, "wait:runnable": 1, "wait:other": 1,
    }  # fmt: skip


def test_perfetto_counts_cpu_and_waits(sample, written):
    events = json.loads(written(sample, "perfetto"))["traceEvents"]
    counters = [(e["name"], e["ts"] / 1000, e["args"]["percent"]) for e in events if e["ph"] == "C"]
    cpu = [it[1:] for it in counters if it[0] == "MainThread (100): cpu %"]
    assert cpu == [(0, 100), (20, 80), (30, 83), (60, 0), (90, 90), (100, 0)]
    assert ("worker-1 (101): lock %", 0, 99) in counters
    (read,) = (e for e in events if e["ph"] == "B" and e["name"] == "app:read")
    assert (read["args"]["cpu_us"], read["args"]["wait_disk_us"]) == (0, 10_000)


def test_folded_stacks_weigh_what_is_asked_for(sample, written):
    def lines(weight):
        text = written(sample, "folded", weight=weights.chosen(sample, weight)).decode()
        return dict(line.rsplit(" ", 1) for line in text.splitlines())

    assert lines("wait:lock") == {"worker-1;concurrent.futures.thread:_worker": str(198 * MS)}
    cpu = lines("cpu")
    assert cpu["MainThread;app:main;app:work;builtins:sorted"] == str(20 * MS)
    assert "MainThread;app:main;app:read" not in cpu
    assert cpu["worker-1"] == str(1 * MS)  # outside of all functions
    assert lines(None) == lines("wall")
    assert sum(map(int, lines("wall").values())) == 300 * MS


def test_a_weight_that_is_none(sample, old):
    with pytest.raises(UsageError) as e:
        weights.chosen(sample, "wait:lok")
    assert str(e.value).startswith(
        "report: --weight wait:lok; there are wall, cpu, user, system, wait, wait:gil, wait:lock, "
    )
    with pytest.raises(UsageError) as e:
        weights.chosen(old, "cpu")
    assert str(e.value) == ("report: --weight cpu: CPU and waits were not recorded; there are wall")


def test_csv_has_columns_for_what_is_known(sample, old, written):
    (first, *_) = csv.DictReader(io.StringIO(written(sample, "csv").decode()))
    assert (first["qualname"], first["cpu_ns"], first["total_cpu_ns"]) == (
        "work", str(33 * MS), str(53 * MS),
    )  # fmt: skip
    assert (first["gil_ns"], first["wait_looks"], first["native_ns"]) == (
        str(7 * MS), "2", str(20 * MS),
    )  # fmt: skip
    heading = written(old, "csv").decode().splitlines()[0]
    assert heading.endswith(",total_ns,p50_ns,p90_ns,p99_ns,latency_p50_ns,latency_p99_ns")


def hostile_charges():
    """Hostile names that ran, waited and made system calls."""
    data = hostile()
    names = len(data.functions)
    rows = [
        (t, n, (t + n) % names, kind, 17 * (kind == "other"), 1, MS // names // 11)
        for t in range(names)
        for n in range(names)
        for kind in KINDS
    ]
    calls = [
        (t, 0, t, kind, f"\x1b[1m{t}", 3, MS, 0, 1)
        for t in range(names)
        for kind in ("syscall", "offcpu")
    ]
    with_charges = snapshot_of(charges=rows, kernel=calls)
    return replace(
        data,
        charges=with_charges.charges,
        sampled=True,
        kernel_rows=with_charges.kernel_rows,
        kernel="lost\n\x1b[1m",
    )


@pytest.mark.parametrize("name", sorted(report.FORMATS.keys() - {"recording", "pprof", "pstats"}))
def test_hostile_names_with_charges(written, name):
    tables = ({}, {"tree": True}, {"waits": True}, {"modules": True}, {"threads": True})
    lines = {"lines": ""}
    data = with_lines(hostile_charges())
    for options in (*tables, lines) if name == "table" else ({}, {"weight": "wait:lock"}, lines):
        text = written(Recording.from_snapshot(data), name, **options).decode()
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", text)


def test_paths_are_those_that_the_program_knew():
    process = Process(0, 1, paths=("/srv/shop/", "", "lib", "/", "/srv", "/srv/shop/plugins"))
    recording = replace(Recording.from_snapshot(snapshot()), processes=[process])
    below = roots(recording)
    assert below == ("/srv/shop/plugins/", "/srv/shop/", "/srv/")
    record = recording.records[0]
    for file, shown in {
        "/srv/shop/main.py": "main.py:1",
        "/srv/shop/plugins/a.py": "a.py:1",
        "/srv/other/b.py": "other/b.py:1",
        "/opt/c.py": "/opt/c.py:1",
        "/srv/v/lib/python3.12/site-packages/rich/a.py": "rich/a.py:1",
    }.items():
        assert place(record._replace(file=file, module="m"), below) == shown
