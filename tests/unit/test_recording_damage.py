# SPDX-License-Identifier: Apache-2.0
"""What is no recording, or no longer one, is refused with one exact line, and left as it is."""

import contextlib
import sqlite3

import pytest
from recordings import snapshot

from pyusdt.errors import UserError
from pyusdt.recording import Writer, load
from pyusdt.recording.schema import VERSION

pytestmark = pytest.mark.apart


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.pyusdt"


def write(path, data):
    Writer(path).close("exit", data)


def refusal(path):
    with pytest.raises(UserError) as e:
        load(path)
    assert e.value.code == 1
    return str(e.value).removeprefix(f"{path}: ")


def test_missing(path):
    assert refusal(path) == "no such file or directory"


def test_a_directory(tmp_path):
    assert refusal(tmp_path) == "is a directory"


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
    for replace in (False, True):
        with pytest.raises(UserError, match="not a recording"):
            Writer(path, replace=replace).write(snapshot())
    assert path.read_bytes() == before


def test_newer(path):
    write(path, snapshot())
    damage(path, f"PRAGMA user_version = {VERSION + 6}")
    assert refusal(path) == (
        f"a recording of format {VERSION + 6}, and this pyusdt reads up to format {VERSION}: "
        "upgrade pyusdt"
    )
    with pytest.raises(UserError, match="upgrade pyusdt"):
        Writer(path).write(snapshot())


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
    database.execute(statement)
    database.commit()
    database.close()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("PRAGMA user_version = 0", "its format is 0"),
        ("DROP TABLE nodes", "no such table: nodes"),
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
        ("UPDATE histograms SET bucket = 252 WHERE count = 7",
         "a histogram has bucket 252, and the last is 251"),
        ("UPDATE histograms SET function = 50 WHERE count = 7",
         "a histogram names function 50, which is not there"),
        ("UPDATE steps SET start_ns = 'soon' WHERE sequence = 1",
         "steps.start_ns is not a number from 0 on (1 rows)"),
    ],
)  # fmt: skip
def test_one_broken_field(path, statement, message):
    write(path, snapshot())
    damage(path, statement)
    assert refusal(path) == f"damaged recording: {message}"


def test_bytes_flipped_anywhere_are_an_error_or_a_recording(path):
    write(path, snapshot())
    whole = path.read_bytes()
    for place in range(100, len(whole), 997):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(UserError):
            assert load(path).functions is not None
