# SPDX-License-Identifier: Apache-2.0
"""The recording as a file: round trips, several processes, kills, full disks, other readers."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import HOSTILE, MS, hostile, snapshot, snapshot_of

from pyusdt.errors import UserError
from pyusdt.recording import Recording, Snapshot, Writer, load
from pyusdt.recording.snapshot import clean
from pyusdt.recording.tree import walk

pytestmark = pytest.mark.apart

PROGRAMS = Path(__file__).parent / "programs/recording"

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{HERE.parents[1]}{os.pathsep}{HERE.parent}"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.pyusdt"


def write(path, data, reason="exit"):
    writer = Writer(path)
    writer.write(data)
    writer.close(reason)


def child(program, *words, **options):
    """A Python process that runs a file, and can import the synthetic recordings."""
    return subprocess.Popen(
        [sys.executable, program, *words],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def facts(recording):
    """What must be the same in memory and in a file."""
    return (
        [
            (f.record, f.calls, f.resumes, f.errors, f.self_ns, f.total_ns, f.p50_ns, f.p99_ns)
            for f in recording.functions
        ],
        [(t.tid, t.name, t.elapsed_ns) for t in recording.threads],
        [(recording.records[n.function], d, n.counts) for n, d in walk(recording.tree)],
        [(s.name, s.kind, s.series) for s in recording.steps],
        recording.losses,
    )


def test_a_file_reads_back_as_the_snapshot_it_came_from(path):
    write(path, snapshot())
    recording = load(path)
    assert facts(recording) == facts(Recording.from_snapshot(snapshot()))
    (process,) = recording.processes
    assert process.pid == os.getpid()
    assert process.reason == "exit"
    assert process.started_ns <= process.updated_ns == process.ended_ns
    assert os.listdir(path.parent) == ["out.pyusdt"]


def test_flushes_replace_what_the_process_said_before(path):
    writer = Writer(path)
    writer.write(snapshot())
    assert load(path).processes[0].ended_ns is None
    later = snapshot(scale=3)
    later.functions, later.steps = [], []  # told already
    writer.close("signal SIGTERM", later)
    recording = load(path)
    assert recording.self_ns == 450 * MS
    assert recording.processes[0].reason == "signal SIGTERM"
    assert len(recording.steps) == 3


def test_a_flush_after_one_that_failed_writes_everything(path, monkeypatch):
    writer = Writer(path)
    writer.write(snapshot())
    later = snapshot()
    later.nodes = [row._replace(calls=2 * row.calls) for row in later.nodes]
    later.steps = [*later.steps, ("last", "mark", 99, 9, None, 1)]
    with monkeypatch.context() as broken:
        broken.setattr("pyusdt.recording.writer.clean_step", lambda _row: (1, 2))
        with pytest.raises(UserError):
            writer.write(later)
    assert load(path).self_ns == 150 * MS
    writer.write(later)
    assert facts(load(path)) == facts(Recording.from_snapshot(later))
    assert len(load(path).processes) == 1


def test_only_what_changed_is_written_again(path):
    writer = Writer(path)
    writer.write(snapshot())
    database = sqlite3.connect(path)
    database.execute("UPDATE nodes SET resumes = 77")
    database.commit()
    database.close()
    later = snapshot()
    later.nodes[0] = later.nodes[0]._replace(calls=9)
    writer.write(later)
    counts = [(node.calls, node.resumes) for node, _ in walk(load(path).threads[0].root)]
    assert counts[0] == (9, 0)
    assert {resumes for _, resumes in counts[1:]} == {77}


def test_hostile_names_survive(path):
    write(path, hostile())
    recording = load(path)
    assert {record.qualname for record in recording.records} == {clean(name) for name in HOSTILE}
    assert {thread.name for thread in recording.threads} == {clean(name) for name in HOSTILE}
    assert recording.losses == {clean(name): 1 for name in HOSTILE}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters()), max_size=5), st.integers(0, 2**62))
def test_any_text_and_any_number_survive(tmp_path, texts, number):
    path = tmp_path / "any.pyusdt"
    functions = [(i, text, text, text, text, i) for i, text in enumerate(texts)]
    nodes = [(0, i, -1, i, number, number, number, number, number) for i in range(len(texts))]
    Writer(path, replace=True).close("x", snapshot_of([(1, "t", number)], functions, nodes))
    assert {r.qualname for r in load(path).records} == {clean(text) for text in texts}


def test_processes_share_functions_and_keep_their_own_rows(path):
    write(path, snapshot())
    write(path, snapshot())
    recording = load(path)
    assert len(recording.records) == 4
    assert len(recording.threads) == 4
    assert recording.self_ns == 300 * MS
    assert recording.losses == {"nodes": 6}


def test_replace_starts_anew_and_an_old_writer_joins_the_new_file(path):
    old = Writer(path)
    old.write(snapshot())
    Writer(path, replace=True).close("exit", Snapshot())
    assert load(path).empty
    old.write(snapshot())
    recording = load(path)
    assert len(recording.processes) == 2
    assert recording.self_ns == 150 * MS


def test_a_forked_child_gets_a_row_of_its_own(path):
    writer = Writer(path, replace=True)
    writer.write(snapshot())
    pid = os.fork()
    if not pid:
        writer.close("exit", snapshot())
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    writer.close()
    recording = load(path)
    assert {process.pid for process in recording.processes} == {os.getpid(), pid}
    assert recording.self_ns == 300 * MS


def test_ten_processes_two_of_them_killed(path):
    processes = [
        child(PROGRAMS / "flush_and_wait.py", path, stdin=subprocess.PIPE) for _ in range(10)
    ]
    for process in processes:
        assert process.stdout.readline() == "flushed\n"
    for process in processes[:2]:
        print("hang", file=process.stdin, flush=True)
    for process in processes[2:]:
        process.communicate("go\n")
        assert process.returncode == 0
    for process in processes[:2]:
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    recording = load(path)
    assert len(recording.processes) == 10
    assert sum(process.reason is None for process in recording.processes) == 2
    assert recording.self_ns == 1500 * MS


def test_a_writer_killed_in_mid_flush_leaves_what_it_flushed_before(path):
    process = child(PROGRAMS / "stop_in_mid_flush.py", path, stdin=subprocess.PIPE)
    assert process.stdout.readline() == "half\n"
    process.kill()
    process.communicate()
    assert os.path.getsize(f"{path}-journal") > 0, "the kill was meant to leave a journal"
    before = path.read_bytes()
    recording = load(path)
    assert recording.self_ns == 150 * MS
    assert path.read_bytes() == before
    assert os.path.exists(f"{path}-journal")
    write(path, snapshot())
    assert load(path).self_ns == 300 * MS
    assert os.listdir(path.parent) == ["out.pyusdt"]


def test_many_processes_create_one_file_at_once(path):
    processes = [
        child(PROGRAMS / "write_at_once.py", path, stdin=subprocess.PIPE) for _ in range(6)
    ]
    for process in processes:
        print(file=process.stdin, flush=True)
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert len(load(path).processes) == 6
    assert os.listdir(path.parent) == ["out.pyusdt"]


def test_where_hard_links_are_not_allowed(path, monkeypatch):
    def refuse(*_names):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write(path, snapshot())
    assert load(path).self_ns == 150 * MS


def test_reading_never_writes(path):
    write(path, snapshot())
    before = path.stat()
    load(path)
    after = path.stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert os.listdir(path.parent) == ["out.pyusdt"]


def test_a_directory_that_is_not_there(tmp_path):
    path = tmp_path / "no" / "out.pyusdt"
    with pytest.raises(UserError) as e:
        Writer(path).write(snapshot())
    assert str(e.value) == f"{path}: no such file or directory"


def test_a_read_only_directory(tmp_path):
    directory = tmp_path / "closed"
    directory.mkdir()
    directory.chmod(0o555)
    if os.geteuid() == 0:
        for parent in [tmp_path, *tmp_path.parents[:3]]:
            parent.chmod(parent.stat().st_mode | 0o055)
    out = child(PROGRAMS / "write.py", directory / "out.pyusdt", "unprivileged").communicate()[0]
    assert out == f"{directory}/out.pyusdt: permission denied\n"
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("existing", [False, True])
def test_a_full_disk(path, existing):
    if existing:
        write(path, snapshot())
    before = path.read_bytes() if existing else None
    process = child(PROGRAMS / "write.py", path, "limited")
    out = process.communicate()[0]
    assert out.startswith(f"{path}: cannot ")
    assert out.count("\n") == 1
    assert [name for name in os.listdir(path.parent) if name != "out.pyusdt"] == []
    recording = load(path)
    assert recording.empty is not existing
    if existing:
        assert recording.self_ns == 150 * MS
        assert path.read_bytes()[200:] == before[200:]


def test_the_human_views_in_the_sqlite_shell(path, tool):
    write(path, snapshot())
    query = "SELECT qualname, calls, self_ms, total_ms FROM function_totals"
    out = subprocess.run([tool("sqlite3"), path, query], capture_output=True, text=True, check=True)
    assert out.stdout.splitlines() == [
        "read|20|55.0|55.0",
        "run|1|45.0|50.0",
        "Parser.parse|7|40.0|60.0",
        "main|1|10.0|100.0",
    ]


def test_every_view_agrees_with_the_reader(path):
    write(path, snapshot())
    database = sqlite3.connect(path)
    rows = database.execute("SELECT low_ns, high_ns, calls FROM latencies WHERE qualname = 'run'")
    ((low, high, calls),) = rows
    assert low <= 50 * MS < high
    assert calls == 1
    edges = dict(database.execute("SELECT caller || '>' || callee, calls FROM calls").fetchall())
    assert edges["Parser.parse>read"] == 11
    assert database.execute("SELECT * FROM step_totals").fetchall() == [("load", 2, 30, 20, 40)]
    database.close()


def test_duckdb_reads_it(path):
    duckdb = pytest.importorskip("duckdb", reason="Python without a wheel of DuckDB")
    scanner = pytest.importorskip("duckdb_extension_sqlite_scanner", reason="Python, as above")
    write(path, snapshot())
    (extension,) = Path(scanner.__file__).parent.glob("extensions/*/*.duckdb_extension")
    database = duckdb.connect()
    database.execute(f"LOAD '{extension}'")
    database.execute(f"ATTACH '{path}' AS r (TYPE sqlite, READ_ONLY)")
    rows = database.execute("SELECT qualname, calls, self_ms, total_ms FROM r.function_totals")
    assert sorted(rows.fetchall()) == [
        ("Parser.parse", 7, 40.0, 60.0),
        ("main", 1, 10.0, 100.0),
        ("read", 20, 55.0, 55.0),
        ("run", 1, 45.0, 50.0),
    ]
    rows = database.execute("SELECT low_ns, high_ns FROM r.latencies WHERE qualname = 'run'")
    ((low, high),) = rows.fetchall()
    assert low <= 50 * MS < high
    database.close()
