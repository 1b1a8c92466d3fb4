# SPDX-License-Identifier: Apache-2.0
"""What is no recording, or no longer one, is refused with one exact line, and left as it is."""

import contextlib
import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import snapshot

from pyusdt import report
from pyusdt.errors import UserError
from pyusdt.recording import load, write
from pyusdt.recording.schema import VERSION
from pyusdt.report import Options

pytestmark = pytest.mark.apart


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.pyusdt"


def refusal(path):
    with pytest.raises(UserError) as e:
        load(path)
    assert e.value.code == 1
    return str(e.value).removeprefix(f"{path}: ")


def test_missing(path):
    assert refusal(path) == "no such file or directory"


def test_a_directory(tmp_path):
    assert refusal(tmp_path) == "is a directory"


def test_what_is_no_file():
    assert refusal("/dev/zero") == "not a file"


def test_empty(path):
    path.touch()
    assert refusal(path) == "not a recording: the file is empty"


def test_not_sqlite(path):
    path.write_text("hello")
    assert refusal(path) == "not a recording of pyusdt"


def test_somebody_elses_database(path):
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE t (a)")
    database.close()
    before = path.read_bytes()
    assert refusal(path) == "a SQLite database, but not a recording of pyusdt"
    with pytest.raises(UserError, match="not a recording"):
        write(path, snapshot())
    assert path.read_bytes() == before


def test_newer(path):
    write(path, snapshot())
    damage(path, f"PRAGMA user_version = {VERSION + 6}")
    assert refusal(path) == (
        f"a recording of format {VERSION + 6}, and this pyusdt reads up to format {VERSION}: "
        "upgrade pyusdt"
    )
    with pytest.raises(UserError, match="upgrade pyusdt"):
        write(path, snapshot(), reason=None)


def test_cut_off(path):
    write(path, snapshot())
    whole = path.read_bytes()
    path.write_bytes(whole[:60])
    assert refusal(path) == "damaged recording: cut off after 60 bytes"
    path.write_bytes(whole[: len(whole) // 2])
    assert refusal(path) == "damaged recording: database disk image is malformed"


def damage(path, statement):
    database = sqlite3.connect(path)
    database.execute("PRAGMA writable_schema = ON")
    database.executescript(statement)
    database.close()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("PRAGMA user_version = 0", "its format is 0"),
        ("DROP TABLE nodes", "nodes is no table"),
        ("DROP TABLE nodes; CREATE VIEW nodes AS SELECT 1", "nodes is no table"),
        ("DROP TABLE nodes; CREATE VIRTUAL TABLE nodes USING fts4(calls)", "nodes is no table"),
        ("DROP TABLE losses; CREATE TABLE losses (process, name, count AS (abs(-1)))",
         "losses is no table"),
        ("UPDATE nodes SET calls = 'x' WHERE node = 3",
         "nodes.calls is not a number from 0 on (1 rows)"),
        ("UPDATE nodes SET self_ns = -1",
         "nodes.self_ns is not a number from 0 on (8 rows)"),
        ("UPDATE nodes SET function = 99 WHERE node = 5",
         "node 5 names function 99, which is not there"),
        ("UPDATE nodes SET parent = 99 WHERE node = 5",
         "node 5 is below node 99, which is not there"),
        ("UPDATE nodes SET parent = 2 WHERE node = 1 AND thread = 0",
         "its nodes form a circle"),
        ("UPDATE nodes SET thread = 9 WHERE node = 5",
         "node 5 is of thread 9, which is not there"),
        ("UPDATE functions SET file = x'ff' WHERE line = 1",
         "functions.file is not text (1 rows)"),
        ("UPDATE functions SET name = CAST(x'ff' AS TEXT) WHERE line = 1",
         "Could not decode to UTF-8 column 'name' with text '\ufffd'"),
        ("UPDATE histograms SET ns = -1 WHERE count = 7",
         "histograms.ns is not a number from 0 on (1 rows)"),
        ("UPDATE histograms SET function = 50 WHERE count = 7",
         "a histogram names function 50, which is not there"),
        ("UPDATE steps SET value = x'00' WHERE sequence = 2",
         "steps.value has a value of another type (1 rows)"),
        ("UPDATE processes SET ended_ns = 'soon'",
         "processes.ended_ns has a value of another type (1 rows)"),
        ("UPDATE processes SET flush_ns = 'often'",
         "processes.flush_ns is not a number from 0 on (1 rows)"),
        ("DELETE FROM processes",
         "threads name process 1, which is not there"),
        ("UPDATE steps SET process = 5",
         "steps name process 5, which is not there"),
        ("UPDATE totals SET thread = 9 WHERE function = 7",
         "totals are of thread 9, which is not there"),
        ("UPDATE totals SET function = 50 WHERE function = 7",
         "totals name function 50, which is not there"),
        ("UPDATE nodes SET thread = 'x' WHERE node = 5",
         "nodes.thread is not a number from 0 on (1 rows)"),
        ("UPDATE steps SET process = x'ff' WHERE sequence = 2",
         "steps.process is not a number from 0 on (1 rows)"),
        ("UPDATE steps SET kind = '<b>' WHERE sequence = 3",
         "step 3 is of no kind, or ends before it begins"),
        ("UPDATE steps SET elapsed_ns = -5 WHERE sequence = 3",
         "step 3 is of no kind, or ends before it begins"),
        ("UPDATE processes SET pid = 9e999",
         "processes.pid is not a number from 0 on (1 rows)"),
        ("UPDATE steps SET start_ns = 'soon' WHERE sequence = 1",
         "steps.start_ns is not a number from 0 on (1 rows)"),
    ],
)  # fmt: skip
def test_one_broken_field(path, statement, message):
    write(path, snapshot())
    damage(path, statement)
    assert refusal(path) == f"damaged recording: {message}"
    with contextlib.suppress(UserError):  # what trees would not take is copied as it is
        report.copy(str(path), str(path.with_suffix(".copy")))


def test_bytes_flipped_anywhere_are_an_error_or_a_recording(path):
    write(path, snapshot())
    whole = path.read_bytes()
    for place in range(100, len(whole), 997):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(UserError):
            assert load(path).functions is not None


NUMBERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=5), st.none())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        [
            "processes.pid", "processes.updated_ns", "processes.ended_ns", "processes.flush_ns",
            "threads.elapsed_ns", "threads.tid", "functions.line", "nodes.parent", "nodes.calls",
            "nodes.elapsed_ns", "totals.self_ns", "totals.thread", "histograms.count",
            "histograms.bucket", "steps.elapsed_ns", "steps.value", "steps.start_ns",
            "losses.count", "started.count",
        ]
    ),
    NUMBERS,
)  # fmt: skip
def test_any_value_in_any_column_is_an_error_or_a_report(path, place, value):
    table, column = place.split(".")
    write(path, snapshot())
    database = sqlite3.connect(path, isolation_level=None)
    with contextlib.suppress(sqlite3.Error):  # NULL, mostly
        database.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (value,))
    database.close()
    with contextlib.suppress(UserError):
        recording = load(path)
        for name in ("table", "html", "json", "csv", "perfetto", "pprof"):
            for options in (Options(), Options(tree=True), Options(steps=True)):
                report.write(recording, str(path) + ".out", report.FORMATS[name], options)
