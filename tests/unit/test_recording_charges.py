# SPDX-License-Identifier: Apache-2.0
"""What a sampler has charged, on its way from a process's counts into figures of functions."""

import json
import sqlite3
from dataclasses import replace
from io import BytesIO

import pytest
import runs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import MS, charged, given_up, snapshot, snapshot_of
from runs import BASE, BEFORE, CHANGES, COUNTS, END, beginning, frame, leave, part

from pyusdt.compare import compare
from pyusdt.errors import UserError
from pyusdt.recording import Recording, left, load, write
from pyusdt.recording.account import account
from pyusdt.recording.charges import KINDS, Charges
from pyusdt.recording.counts import HEAD, TIMES_SAMPLED
from pyusdt.recording.snapshot import ChargeRow
from pyusdt.recording.tree import walk
from pyusdt.report import Options, depth
from pyusdt.report import json as json_report
from pyusdt.report.prepare import shown
from pyusdt.waiting import waiting

pytestmark = pytest.mark.apart

FILTERED = {"exclude": "nothing"}  # asks for the way that can subtract and leave out


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.pyusdt"


def own(recording) -> dict[str, dict[str, int]]:
    """Milliseconds by kind, by function."""
    return {f.record.qualname: in_ms(f.charges) for f in recording.functions}


def in_ms(charges: Charges | None) -> dict[str, int] | None:
    if charges is None:
        return None
    return {kind: charges.of(kind) // MS for kind in KINDS if charges.of(kind)}


def facts(recording):
    """All that is known of where the time went."""
    nodes = [
        (recording.records[n.function].qualname, level, n.charges)
        for thread in recording.threads
        for n, level in walk(thread.root)
    ]
    functions = [
        (f.record.qualname, f.self_ns, f.total_ns, f.charges, f.total_charges, f.native_ns)
        for f in recording.functions
    ]
    threads = [(t.tid, t.charges, t.root.charges) for t in recording.threads]
    return nodes, functions, threads, recording.known, recording.times


OWN = {
    "_worker": {"user": 1, "lock": 198},
    "work": {"user": 28, "system": 5, "gil": 7},
    "read": {"user": 5, "poll": 9, "net": 10, "disk": 10, "other": 1},
    "sorted": {"user": 20},
    "main": {"user": 9, "runnable": 1},
}


def test_figures_of_functions_and_threads():
    recording = Recording.from_snapshot(charged())
    assert own(recording) == OWN
    by_name = {f.record.qualname: f for f in recording.functions}
    main, work = by_name["main"], by_name["work"]
    # With callees: recursion counts once, and what has no context counts in its function alone.
    assert main.total_cpu_ns == 62 * MS
    assert (work.total_cpu_ns, work.total_wait_ns) == (53 * MS, 7 * MS)
    assert by_name["read"].total_cpu_ns == 5 * MS
    assert work.native_ns == 20 * MS
    assert by_name["sorted"].native_ns is None
    assert (work.cpu_ns, work.user_ns, work.system_ns) == (33 * MS, 28 * MS, 5 * MS)
    assert work.samples == {"cpu": 33, "user": 28, "system": 5, "gil": 2}
    assert by_name["read"].charges.others == {17: MS}
    whole = account(recording)
    assert (whole.wall_ns, whole.charges.cpu_ns) == (200 * MS, 69 * MS)
    assert whole.threads[0].gil_contention == pytest.approx(7 / (7 + 67))
    assert in_ms(whole.threads[1].charges) == {"user": 2, "lock": 198}


def test_a_recording_without_a_sampler_knows_nothing_of_it():
    recording = Recording.from_snapshot(snapshot())
    function = recording.functions[0]
    assert (function.cpu_ns, function.wait_ns, function.total_cpu_ns) == (None, None, None)
    assert (function.native_ns, function.waits, recording.known) == (None, {}, frozenset())
    assert account(recording).gil_contention is None
    quiet = Recording.from_snapshot(replace(snapshot(), sampled=True))
    assert (quiet.functions[0].cpu_ns, quiet.functions[0].total_wait_ns) == (0, 0)


@pytest.mark.parametrize("about", [{}, FILTERED], ids=["straight", "summed"])
def test_a_part_becomes_a_file_with_the_same_figures(path, about):
    about = {"c_calls": True, "paths": ["/srv", 5, "/tmp"], **about}
    expected = facts(Recording.from_snapshot(charged()))
    write(path, charged())
    assert facts(load(path)) == expected
    run = leave(path, part(charged(), about=about))
    assert facts(load(path)) == expected  # in memory
    assert runs.run.finish(str(path), run=run) == 0
    recording = load(path)
    assert facts(recording) == expected
    assert recording.processes[0].paths == ("/srv", "/tmp")
    copy = path.with_suffix(".copy.pyusdt")
    with copy.open("wb") as out:
        left.copy_whole(str(path), out)
    assert facts(load(copy)) == expected


def times_sampled(it) -> bytes:
    """Counts of a process that has read no clock at calls."""
    it = replace(
        it,
        nodes=[row._replace(elapsed_ns=0, self_ns=0) for row in it.nodes],
        totals=[],
    )
    data = runs.counts_of(it)
    head = list(HEAD.unpack_from(data))
    head[13] |= TIMES_SAMPLED
    return HEAD.pack(*head) + data[HEAD.size :]


@pytest.mark.parametrize("about", [{}, FILTERED], ids=["straight", "summed"])
@pytest.mark.parametrize("stays", [False, True], ids=["moved", "beside"])
def test_times_of_the_sampler_are_what_it_has_charged(path, about, stays):
    content = beginning(about={"c_calls": True, **about}) + frame(COUNTS, times_sampled(charged()))
    run = leave(path, content + frame(END, b"exit"))
    if not stays:
        runs.run.finish(str(path), run=run)
    recording = load(path)
    assert recording.times == "sampled"
    times = {f.record.qualname: (f.self_ns // MS, f.total_ns // MS) for f in recording.functions}
    assert times == {
        "_worker": (199, 199),
        "work": (40, 60),
        "read": (35, 35),  # 5 of it in no context that is known
        "sorted": (20, 20),
        "main": (10, 100),
    }
    nodes = [(n.self_ns // MS, n.elapsed_ns // MS) for n, _ in walk(recording.threads[0].root)]
    assert nodes == [(10, 100), (30, 60), (20, 20), (10, 10), (30, 30)]
    assert recording.functions[0].p50_ns is None
    by_name = {f.record.qualname: f for f in recording.functions}
    assert by_name["work"].native_ns == 20 * MS


def small(cpu: int, poll: int = 0):
    """f, and what was charged to it, in ms."""
    charges = [(0, 0, 5, "user", 0, cpu, cpu * MS)]
    charges += [(0, 0, 5, "poll", 0, poll, poll * MS)] * bool(poll)
    return snapshot_of(
        threads=[(100, "main", 9 * MS)],
        functions=[(5, "app", "f", "f", "/srv/app.py", 1)],
        nodes=[(0, 0, -1, 5, cpu, 0, 0, 9 * MS, 9 * MS)],
        charges=charges,
    )


def test_changes_replace_rows_and_what_was_before_is_subtracted(path):
    counts = runs.counts_of
    changed = frame(COUNTS, counts(small(5, 4))) + frame(CHANGES, counts(small(7)))
    leave(path, beginning() + changed)
    assert own(load(path)) == {"f": {"user": 7, "poll": 4}}
    before = frame(BASE, counts(small(10, 1))) + frame(BEFORE, counts(small(2)))
    leave(path, beginning() + before + changed + frame(END, b"end"))
    assert own(load(path)) == {"f": {"user": 15, "poll": 5}}
    assert load(path).functions[0].samples == {"cpu": 15, "user": 15, "poll": 5}


def test_processes_are_added_up_and_one_without_a_sampler_hides_what_it_ran(path):
    rest = {"pid": 5_000_001}
    leave(path, part(small(3)), part(small(4, 2), token="b" * 32, **rest))
    recording = load(path)
    assert own(recording) == {"f": {"user": 7, "poll": 2}}
    assert [it.charges.cpu_ns // MS for it in account(recording).processes] == [3, 4]
    blind = replace(small(4), charges=[], sampled=False)
    leave(path, part(small(3)), part(blind, token="b" * 32, **rest))
    recording = load(path)
    assert "cpu" in recording.known
    assert recording.functions[0].cpu_ns is None
    assert recording.functions[0].total_cpu_ns is None
    assert sorted(it.sampled for it in recording.processes) == [False, True]


@pytest.mark.parametrize("recorded", [False, True])
def test_a_filter_gives_callers_what_the_others_were_charged(path, recorded):
    if recorded:  # with the filter
        leave(path, part(charged(), about={"only": "app:main", "c_calls": True}))
        recording = load(path)
    else:
        whole = Recording.from_snapshot(charged())
        recording = whole.only(lambda record: record.qualname == "main")
        assert recording.functions[0].native_ns is None  # C functions are among those left out
    all_of_it = {"user": 57, "system": 5, "gil": 7, "poll": 9, "net": 10, "disk": 10,
                 "runnable": 1, "other": 1}  # fmt: skip
    assert own(recording) == {"main": all_of_it}
    assert recording.functions[0].total_charges == recording.functions[0].charges
    # The thread keeps all, its root what none of the functions has.
    assert [t.charges.cpu_ns // MS for t in recording.threads] == [67, 2]
    assert in_ms(recording.threads[1].root.charges) == {"user": 2, "lock": 198}
    rest = {key[1]: in_ms(it) for key, it in recording.charges.items() if key[2] < 0}
    assert rest == {0: {"user": 5}, 1: {"user": 2, "lock": 198}}


def test_threads_of_one_name_keep_their_charges():
    it = charged()
    threads = [it.threads[0]._replace(name="worker-0"), it.threads[1]]
    recording = shown(Recording.from_snapshot(replace(it, threads=threads)))
    (thread,) = recording.threads
    assert thread.charges.cpu_ns == 69 * MS
    assert own(recording) == OWN
    assert {key[1] for key in recording.charges} == {0}
    assert sum(n.charges.ns for n, _ in walk(thread.root) if n.charges) == 299 * MS


def test_what_is_cut_for_its_depth_keeps_its_charges():
    cut = depth.cut(Recording.from_snapshot(charged()), 1)
    charges = [(n.charges or Charges()).cpu_ns // MS for n, _ in walk(cut.threads[0].root)]
    assert charges == [9, 53]


def test_native_time_is_not_known_where_contexts_were_given_up():
    it = given_up()
    c = it.functions[2]._replace(file="", line=0)
    nodes = [*it.nodes, (0, 2, 1, 3, 1, 0, 0, MS, MS)]
    it = replace(it, functions=[*it.functions[:2], c], nodes=[type(it.nodes[0])(*n) for n in nodes])
    recording = Recording.from_snapshot(it)
    assert "native" in recording.known
    assert {f.record.qualname: f.native_ns for f in recording.functions} == dict.fromkeys(
        ("main", "walk", "leaf")
    )


def test_what_waits_is_known_by_what_it_was_charged():
    recording = Recording.from_snapshot(charged())
    names = {recording.records[index].qualname for index in waiting(recording)}
    assert names == {"_worker"}  # a seventh of what read was charged is CPU time
    blocked = replace(small(1), charges=[ChargeRow(0, 0, 5, "gil", 0, 99, 9 * MS)])
    assert waiting(Recording.from_snapshot(blocked)) == set()
    assert compare([recording], [recording]).functions


def test_json_has_what_is_known():
    def document(it) -> dict:
        out = BytesIO()
        json_report.write(Recording.from_snapshot(it), out, Options())
        return json.loads(out.getvalue())

    it = document(charged(kernel=True))
    assert it["pyusdt"] == 5
    (read,) = [f for f in it["functions"] if f["qualname"] == "read"]
    assert read["waits"] == {"poll": 9 * MS, "net": 10 * MS, "disk": 10 * MS, "other": MS}
    assert (read["cpu_ns"], read["samples"]["cpu"]) == (5 * MS, 5)
    assert read["syscalls"] == {"read": {"count": 7, "ns": 21 * MS, "errors": 1}}
    assert read["kernel_waits"] == {"disk": 11 * MS}
    (work,) = [f for f in it["functions"] if f["qualname"] == "work"]
    assert (work["native_ns"], work["total_cpu_ns"]) == (20 * MS, 53 * MS)
    (main, worker) = it["threads"]
    assert main["nodes"]["cpu_ns"] == [9 * MS, 25 * MS, 20 * MS, 8 * MS, 0]
    assert main["nodes"]["wait_ns"] == [MS, 5 * MS, 0, 2 * MS, 30 * MS]
    assert (worker["cpu_ns"], worker["waits"]) == (2 * MS, {"lock": 198 * MS})
    (process,) = it["processes"]
    assert (process["sampled"], process["times"], process["kernel"]) == (True, "exact", "")
    assert it["kernel"]["syscall"]["futex"]["count"] == 5
    old = document(snapshot())
    assert not {"cpu_ns", "waits", "native_ns", "syscalls"} & set(old["functions"][0])
    assert "cpu_ns" not in old["threads"][0]["nodes"]
    assert "kernel" not in old


def test_format_3_is_read_as_before(path):
    write(path, snapshot())
    expected = facts(Recording.from_snapshot(snapshot()))
    with sqlite3.connect(path) as database:
        database.executescript(
            "DROP VIEW function_charges; DROP VIEW function_kernel; DROP TABLE charges;"
            "DROP TABLE kernel; PRAGMA user_version = 3;"
            + "".join(
                f"ALTER TABLE processes DROP COLUMN {name};"
                for name in ("sampled", "times", "kernel", "paths")
            )
        )
    database.close()
    assert facts(load(path)) == expected
    (process,) = load(path).processes
    assert (process.sampled, process.times, process.kernel) == (False, "exact", None)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE charges SET kind = 'idle' WHERE kind = 'gil'",
         "charges.kind is none of those that there are (2 rows)"),
        ("UPDATE charges SET ns = -1 WHERE kind = 'poll'",
         "charges.ns is not a number from 0 on (1 rows)"),
        ("UPDATE charges SET node = 99 WHERE kind = 'poll'",
         "a charge is of node 99, which is not there"),
        ("UPDATE charges SET thread = 9 WHERE kind = 'poll'",
         "charges are of thread 9, which is not there"),
        ("UPDATE charges SET function = 77 WHERE kind = 'poll'",
         "charges name function 77, which is not there"),
        ("UPDATE charges SET process = 7", "charges name process 7, which is not there"),
        ("UPDATE kernel SET kind = 'x'", "kernel.kind is none of those that there are (6 rows)"),
        ("UPDATE kernel SET function = 77 WHERE kind = 'fault'",
         "the kernel's account names function 77, which is not there"),
        ("UPDATE kernel SET bytes = 'x' WHERE kind = 'fault'",
         "kernel.bytes is not a number from 0 on (1 rows)"),
        ("UPDATE processes SET times = 'guessed'",
         "processes.times is none of those that there are (1 rows)"),
        ("UPDATE processes SET paths = '{'", "the paths of a process are no JSON"),
        ("UPDATE processes SET kernel = 5.5",
         None),  # SQLite makes a text of it
    ],
)  # fmt: skip
def test_what_no_recorder_writes_is_refused(path, sql, why):
    write(path, charged(kernel=True))
    with sqlite3.connect(path) as database:
        database.execute(sql)
    database.close()
    if why is None:
        assert load(path)
        return
    with pytest.raises(UserError) as error:
        load(path)
    assert str(error.value) == f"{path}: damaged recording: {why}"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from(KINDS),
            st.integers(0, 2**31),
            st.integers(0, 2**31),
            st.integers(0, 2**50),
        ),
        unique_by=lambda row: row[:3],
        max_size=6,
    ),
    st.text(st.characters(), max_size=20),
    st.integers(0, 2**60),
)
def test_any_charges_and_any_account_survive(tmp_path, rows, name, number):
    path = tmp_path / "any.pyusdt"
    it = snapshot_of(
        [(1, "t", 9 * MS)],
        [(5, "app", "f", "f", "f.py", 1), (6, "app", "g", "g", "g.py", 1)],
        [(0, 0, -1, 5, 1, 0, 0, 9 * MS, 9 * MS), (0, 1, 0, 6, 1, 0, 0, 0, 0)],
        charges=[(0, node, 5 + node, *row) for node, *row in rows],
        kernel=[(0, 0, 5, "syscall", name, number, number, 0, 0)],
    )
    write(path, it)
    recording = load(path)
    assert facts(recording) == facts(Recording.from_snapshot(it))
    (figures,) = recording.kernel_totals["syscall"].values()
    assert (figures.events, figures.ns) == (number, number)
