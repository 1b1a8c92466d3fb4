# SPDX-License-Identifier: Apache-2.0
"""Lines, and the texts of their files, in recordings: in memory, in files, and in damaged ones."""

import hashlib
import os
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from recordings import LINED_FILE, LINED_SOURCE, MS, lined, snapshot

from pyusdt import sources
from pyusdt.errors import UserError
from pyusdt.recording import Recording, Snapshot, load, write
from pyusdt.recording.lines import LineFigures
from pyusdt.recording.source import MOST_CHARACTERS, Reader, Source

TOKEN = "0123456789abcdef"


@pytest.fixture(params=["memory", "file"])
def recorded(request, tmp_path):
    def make(data: Snapshot) -> Recording:
        if request.param == "memory":
            return Recording.from_snapshot(data)
        write(tmp_path / "out.pyusdt", data)
        return load(tmp_path / "out.pyusdt")

    return make


def figures(recording):
    return {it.line: (it.hits, it.errors, it.total_ns // MS, it.self_ns // MS)
            for it in recording.line_rows}  # fmt: skip


EXPECTED = {2: (4, 0, 6, 6), 3: (3, 0, 94, 4), 7: (4, 0, 6, 6), 8: (1, 1, 14, 14),
            9: (3, 0, 80, 80), 10: (3, 0, 10, 10)}  # fmt: skip


def test_lines_add_up_over_threads(recorded):
    recording = recorded(lined())
    assert figures(recording) == EXPECTED
    assert [it.record.qualname for it in recording.line_rows] == ["main"] * 2 + ["work"] * 4


def test_lines_have_what_was_charged_to_them(recorded):
    recording = recorded(lined(charges=True))
    by_line = {it.line: it for it in recording.line_rows}
    assert by_line[9].cpu_ns == 70 * MS and by_line[9].charges.waits == {"gil": 10 * MS}
    assert by_line[8].cpu_ns == 0 and by_line[8].charges.waits == {"sleep": 14 * MS}
    work = next(it for it in recording.functions if it.record.qualname == "work")
    assert (work.cpu_ns, work.wait_ns) == (86 * MS, 24 * MS)  # what is of no line is there, too


def test_a_line_that_was_only_charged_is_there(recorded):
    recording = recorded(replace(lined(charges=True), lines=[]))
    row = next(it for it in recording.line_rows if it.line == 10)
    assert (row.hits, row.total_ns, row.cpu_ns) == (0, 0, 10 * MS)


def test_the_text_of_a_file_is_kept(recorded):
    recording = recorded(lined())
    source = recording.source_of(LINED_FILE)
    assert source == Source(hashlib.sha256(LINED_SOURCE.encode()).hexdigest(), LINED_SOURCE)
    assert recording.source_of("/srv/other.py") is None


def test_texts_that_differ_between_processes_are_none():
    recording = Recording.from_snapshot(lined())
    other = {(7, LINED_FILE): Source.of("other")}
    assert replace(recording, sources={**recording.sources, **other}).source_of(LINED_FILE) is None


def test_a_filter_keeps_the_lines_of_what_it_chooses(recorded):
    recording = recorded(lined()).only(lambda record: record.name == "main")
    assert figures(recording) == {2: EXPECTED[2], 3: EXPECTED[3]}
    assert recording.select(process=lambda _: False).line_rows == []


def test_lines_of_any_number_and_hostile_names_come_back(recorded):
    data = snapshot()
    text = "nul\0 \udc80 </script>\n"
    data.sources["sur\udc80 nul\0"] = Source.of(text)
    recording = recorded(data)
    assert recording.source_of("sur\\udc80 nul\\x00").text == "nul\\x00 \\udc80 </script>\n"


def test_a_hundred_thousand_lines_come_back(recorded):
    rows = [lined().lines[0]._replace(line=line) for line in range(100_000)]
    recording = recorded(replace(lined(), lines=rows))
    assert len(recording.lines) == 100_000
    assert recording.lines[recording.processes[0].id, 0, 99_999] == LineFigures(
        4, 0, 6 * MS, 6 * MS
    )


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE lines SET hits = -1 WHERE line = 9", "lines.hits is not a number from 0 on"),
        ("UPDATE lines SET line = 'x' WHERE line = 9", "lines.line is not a number"),
        ("UPDATE lines SET function = 77 WHERE line = 9", "lines name function 77"),
        ("UPDATE lines SET process = 77 WHERE line = 9", "lines name process 77"),
        ("UPDATE charges SET line = 1.5 WHERE line = 9", "charges.line is not a number"),
        ("UPDATE texts SET text = 'other'", "the text of a file is not the one"),
        ("UPDATE texts SET text = x'00'", "texts.text is not text"),
        ("DELETE FROM texts", "the text of a file is not there"),
        (f"UPDATE texts SET text = printf('%.*c', {MOST_CHARACTERS + 1}, 'x')",
         "texts of more than 1,000,000 characters"),
        ("DROP TABLE lines", "lines is no table"),
        ("DROP TABLE sources; CREATE VIEW sources AS SELECT 1 process, 'a' file, 'b' sha256",
         "sources is no table"),
    ],
)  # fmt: skip
def test_what_no_recorder_writes_is_refused(tmp_path, statement, says):
    path = tmp_path / "out.pyusdt"
    write(path, lined(charges=True))
    with closing(sqlite3.connect(path)) as it:
        it.executescript(f"DROP VIEW line_totals; {statement}")
    with pytest.raises(UserError, match=says):
        load(path)


def test_a_recording_of_format_4_is_read_without_lines(tmp_path):
    path = tmp_path / "out.pyusdt"
    write(path, lined(charges=True))
    with closing(sqlite3.connect(path)) as it:
        it.executescript(
            "DROP VIEW line_totals; DROP TABLE lines; DROP TABLE sources; DROP TABLE texts;"
            "CREATE TABLE old AS SELECT process, thread, node, function, kind, syscall,"
            " sum(samples) AS samples, sum(ns) AS ns FROM charges GROUP BY 1, 2, 3, 4, 5, 6;"
            "DROP VIEW function_charges; DROP TABLE charges; ALTER TABLE old RENAME TO charges;"
            "PRAGMA user_version = 4"
        )
    recording = load(path)
    assert (recording.lines, recording.sources) == ({}, {})
    assert sum(it.cpu_ns or 0 for it in recording.functions) == 96 * MS


# What the directory of a run holds of texts.


@pytest.fixture
def directory(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def put(tmp_path, text: bytes, name: str = "/srv/a.py", sha256: str | None = None) -> None:
    sha256 = sha256 or hashlib.sha256(text).hexdigest()
    (tmp_path / f"text.{sha256}").write_bytes(text)
    (tmp_path / "list").write_bytes(f"{sha256} {name}".encode())


def read(directory):
    return {file: it.text for file, it in Reader(directory).sources(["list"]).items()}


def test_the_texts_of_a_run_are_read(tmp_path, directory):
    put(tmp_path, b"x = 1\n")
    assert read(directory) == {"/srv/a.py": "x = 1\n"}


@pytest.mark.parametrize(
    "text", [b"\xff", b"x" * (MOST_CHARACTERS + 1), b"nul\0", b"x" * 5 * MOST_CHARACTERS]
)
def test_texts_that_no_recorder_writes_are_left_out(tmp_path, directory, text):
    put(tmp_path, text)
    assert read(directory) == {}


@pytest.mark.parametrize("sha256", ["0" * 64, "../list", "", "A" * 64])
def test_names_that_no_recorder_writes_are_left_out(tmp_path, directory, sha256):
    (tmp_path / "list").write_bytes(f"{sha256} /srv/a.py\0\0 \0\xff".encode())
    (tmp_path / f"text.{'0' * 64}").write_bytes(b"x = 1\n")
    assert read(directory) == {}


def test_links_and_pipes_are_not_read(tmp_path, directory):
    put(tmp_path, b"x = 1\n")
    (text,) = tmp_path.glob("text.*")
    text.rename(tmp_path / "other")
    text.symlink_to(tmp_path / "other")
    assert read(directory) == {}
    text.unlink()
    os.mkfifo(text)
    assert read(directory) == {}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"x = 1\r\ny = 2\r", "x = 1\ny = 2\n"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        ("# coding: latin-1\nx = '\xe4'\n".encode("latin-1"), "# coding: latin-1\nx = '\xe4'\n"),
        ("#!/usr/bin/python\n# -*- coding: UTF-8 -*-\n'\xe4'".encode(),
         "#!/usr/bin/python\n# -*- coding: UTF-8 -*-\n'\xe4'"),
        (b"x = 1\n# coding: latin-1\n", "x = 1\n# coding: latin-1\n"),
        (b"# coding: utf-7\n", None),
        (b"x = '\xe4'", None),
        (b"x" * 1_000_001, None),
    ],
)  # fmt: skip
def test_a_source_is_decoded_as_python_does(data, text):
    assert sources.decoded(data) == text
