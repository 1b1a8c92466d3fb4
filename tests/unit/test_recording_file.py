# SPDX-License-Identifier: Apache-2.0
"""The recording as a file: round trips, several processes, kills, full disks, other readers."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import HOSTILE, hostile, snapshot, snapshot_of

from pyusdt.errors import UserError
from pyusdt.recording import Recording, load, write
from pyusdt.recording.snapshot import clean
from pyusdt.recording.tree import walk

pytestmark = pytest.mark.apart

PROGRAMS = Path(__file__).parent / "programs/recording"

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{HERE.parents[1]}{os.pathsep}{HERE.parent}"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.pyusdt"


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
    write(path, snapshot_of([(1, "t", number)], functions, nodes), reason="x")
    assert {r.qualname for r in load(path).records} == {clean(text) for text in texts}


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
        write(path, snapshot(), reason=None)
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
    assert out == f"{path}: file too large\n"
    assert os.listdir(path.parent) == ["out.pyusdt"] * existing
    if existing:
        assert path.read_bytes() == before


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
    rows = database.execute("SELECT ms, calls FROM latencies WHERE qualname = 'run'")
    assert rows.fetchall() == [(50, 1)]
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
    rows = database.execute("SELECT ms FROM r.latencies WHERE qualname = 'run'")
    assert rows.fetchall() == [(50,)]
    database.close()
