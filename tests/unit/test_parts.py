# SPDX-License-Identifier: Apache-2.0
"""Parts that are cut off, damaged, or lie: what is whole is read, and nothing else fails."""

import os
import struct

import pytest
import runs
from recordings import MS, snapshot, snapshot_of
from runs import BASE, BEFORE, CHANGES, COUNTS, END, STARTED, beginning, frame, leave, part, put

from pyusdt import rundir
from pyusdt.errors import UserError
from pyusdt.recording import Snapshot, alive, load, run
from pyusdt.recording.counts import HEAD, LINE, NODE
from pyusdt.recording.parts import FRAME, PROCESS

pytestmark = pytest.mark.apart


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.pyusdt"


def small(calls: int = 3) -> Snapshot:
    return snapshot_of(
        threads=[(100, "main", 9 * MS)],
        functions=[(5, "app", "f", "f", "/srv/app.py", 1)],
        nodes=[(0, 0, -1, 5, calls, 0, 0, 9 * MS, 9 * MS)],
        histograms=[(5, 80, calls)],
        steps=[("load", "step", 0, 1000, 5, None), ("size", "mark", 1, 2000, None, "x")],
        losses={"calls too deep": 2},
        charges=[(0, 0, 5, "user", 0, calls, calls * MS, 3), (0, 0, 5, "sleep", 0, 1, 5 * MS, 4)],
        lines=[(0, 5, 3, 10 * calls, calls, 2 * calls * MS, calls * MS), (0, 5, 4, 1, 0, MS, MS)],
    )


def lines(recording) -> list[tuple[int, ...]]:
    """Line, hits, errors, times in ms, and what was charged."""
    return [
        (it.line, it.hits, it.errors, it.total_ns / MS, it.self_ns / MS, it.charges.ns / MS)
        for it in recording.line_rows
    ]


def calls(recording) -> list[int]:
    return sorted(f.calls for f in recording.functions)


def outcome(path) -> list[int] | str:
    """The calls, or the reason why there are none; any other exception is an error."""
    try:
        recording = load(path)
        for thread in recording.threads:
            assert thread.root
        return calls(recording)
    except UserError as e:
        assert "\n" not in str(e)
        return str(e)


def test_a_part_is_read_as_what_was_written(path):
    leave(path, part(snapshot(), pid=7_000_000))
    recording = load(path)
    (process,) = recording.processes
    assert (process.pid, process.reason, process.ended_ns) == (7_000_000, "exit", runs.NOW)
    assert [(f.record.qualname, f.calls) for f in recording.functions] == [
        ("read", 20), ("run", 1), ("Parser.parse", 7), ("main", 1)
    ]  # fmt: skip
    assert recording.losses == {"nodes": 3}
    assert [step.count for step in recording.steps] == [2, 1, 1]


def test_the_last_counts_and_the_changes_since_are_taken(path):
    leave(
        path,
        beginning()
        + frame(COUNTS, runs.counts_of(small(3)))
        + frame(COUNTS, runs.counts_of(small(5)))
        + frame(CHANGES, runs.counts_of(small(7))),
    )
    assert outcome(path) == [7]
    assert lines(load(path)) == [(3, 70, 7, 14, 7, 7), (4, 1, 0, 1, 1, 5)]
    (process,) = load(path).processes
    assert (process.ended_ns, process.reason) == (None, None)


def test_a_base_is_added_and_what_was_before_is_subtracted(path):
    leave(
        path,
        beginning()
        + frame(BASE, runs.counts_of(small(10)))
        + frame(BEFORE, runs.counts_of(small(2)))
        + frame(COUNTS, runs.counts_of(small(5)))
        + frame(END, b"end"),
    )
    assert outcome(path) == [13]
    assert lines(load(path)) == [(3, 130, 13, 26, 13, 13), (4, 1, 0, 1, 1, 5)]


def test_cut_off_at_every_byte(path):
    frames = [beginning(), *(frame(COUNTS, runs.counts_of(small(n))) for n in (3, 5))]
    whole = b"".join(frames)
    it = leave(path)
    ends = [sum(map(len, frames[: n + 1])) for n in range(3)]
    for cut in range(len(whole) + 1):
        put(it, whole[:cut])
        n = sum(cut >= end for end in ends)
        assert outcome(path) == [[], [], [3], [5]][n], cut
        assert len(load(path).processes) == (n > 0), cut


def test_a_flipped_bit_at_every_byte(path):
    frames = [beginning(), *(frame(COUNTS, runs.counts_of(small(n))) for n in (3, 5))]
    whole = b"".join(frames)
    it = leave(path)
    first, second = len(frames[0]), len(frames[0]) + len(frames[1])
    for at in range(len(whole)):
        put(it, whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        assert outcome(path) == ([] if at < first else [] if at < second else [3]), at


def test_what_follows_a_damaged_frame_is_not_read(path):
    damaged = bytearray(frame(COUNTS, runs.counts_of(small(5))))
    damaged[-1] ^= 1
    rest = frame(COUNTS, runs.counts_of(small(7)))
    leave(path, beginning() + frame(COUNTS, runs.counts_of(small(3))) + damaged + rest)
    assert outcome(path) == [3]


@pytest.mark.parametrize("size", [0, 1, 2**31, 2**32, 2**63, 2**64 - 1])
def test_a_length_that_is_not_true(path, size):
    counts = runs.counts_of(small(5))
    leave(
        path,
        beginning() + frame(COUNTS, runs.counts_of(small(3))) + frame(COUNTS, counts, size=size),
    )
    assert outcome(path) == [3]


def test_each_number_of_the_head_may_be_any(path):
    """With the checksums of one that writes so: it is a sentence, at worst, and no memory is taken
    for rows that are not there."""
    good = runs.counts_of(small(5))
    it = leave(path)
    for place in range(HEAD.size // 4):
        for value in (0, 1, 2, 0x7F, 2**31 - 1, 2**31, 2**32 - 1):
            bad = good[: place * 4] + struct.pack("=I", value) + good[place * 4 + 4 :]
            for payload in (frame(COUNTS, bad), frame(BEFORE, bad) + frame(COUNTS, good)):
                put(it, beginning() + payload)
                assert outcome(path) is not None


def test_each_byte_of_the_counts_may_be_any(path):
    good = runs.counts_of(small(5))
    it = leave(path)
    for at in range(len(good)):
        for value in (good[at] ^ 0xFF, good[at] ^ 1):
            bad = good[:at] + bytes([value]) + good[at + 1 :]
            put(it, beginning() + frame(COUNTS, bad) + frame(END, b"exit"))
            assert outcome(path) is not None
            put(it, beginning(about={"c_calls": True, "only": "x"}) + frame(COUNTS, bad))
            assert outcome(path) is not None


@pytest.mark.parametrize(
    "about",
    [
        b"", b"{", b"[]", b"null", b"7", b'"x"', b"[" * 100_000, b"{\xff}", b'{"threads": [{}]}',
        b'{"threads": [1e400]}', b'{"threads": "all"}', b'{"only": 7, "exclude": []}',
        b'{"only": "[[["}', b'{"command": "\\ud800\\u0000"}', b'{"host": {"a": [1]}}',
        b'{"python": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_what_a_part_says_about_itself_may_be_anything(path, about):
    process = PROCESS.pack(b"b" * 32, b"", 5_000_001, 1, runs.NOW, 1)
    good = part(small(3))
    leave(path, frame(1, process + about) + frame(COUNTS, runs.counts_of(small(5))), good)
    found = outcome(path)
    assert isinstance(found, str) or 3 in found or found == [8], found


@pytest.mark.parametrize("size", range(0, PROCESS.size + 1, 8))
def test_a_process_that_is_cut_off_under_right_checksums(path, size):
    process = PROCESS.pack(b"b" * 32, b"", 5_000_001, 1, runs.NOW, 1)[:size]
    leave(path, frame(1, process) + frame(COUNTS, runs.counts_of(small(5))), part(small(3)))
    assert outcome(path) == [3]


@pytest.mark.parametrize(
    "token", [b"A" * 32, b"\0" * 32, b"../../../../../../etc/passwd....", b"\xff" * 32]
)
def test_a_token_that_is_none(path, token):
    process = PROCESS.pack(token, b"", 5_000_001, 1, runs.NOW, 1)
    leave(path, frame(1, process + b"{}") + frame(COUNTS, runs.counts_of(small(5))))
    assert outcome(path) == []


def test_numbers_of_a_process_may_be_any(path):
    it = leave(path)
    for started in (-(2**63), -1, 0, 2**63 - 1):
        for monotonic in (0, 2**63 - 1, 2**64 - 1):
            for moment in (-(2**63), -1, 0, 2**63 - 1):
                content = beginning(started_ns=started, monotonic_ns=monotonic, pid=2**32 - 1)
                content += frame(COUNTS, runs.counts_of(small(3)), moment)
                put(it, content + frame(END, b"exit", moment))
                assert outcome(path) == [3]
                (process,) = load(path).processes
                assert (process.started_ns, process.ended_ns) == (started, moment)


@pytest.mark.parametrize(
    ("payload", "started"),
    [
        (b"", {}),
        (b"\1", {}),
        (b"\1" + b"\0" * 7, {}),
        (b"\2" + b"\0" * 7 + b"sh\0", {"sh": 2}),
        (b"\2" + b"\0" * 7 + b"no end", {"no end": 2}),
        (b"\xff" * 8 + b"\xff\n\0", {"\\xff\n": 2**63 - 1}),
        (b"\2" + b"\0" * 7 + b"sh\0\3", {"sh": 2}),
        ((b"\1" + b"\0" * 7 + b"x" * 100_000 + b"\0") * 3, {"x" * 100_000: 1}),
    ],
)
def test_programs_that_were_started(path, payload, started):
    leave(path, beginning() + frame(STARTED, payload) + frame(COUNTS, runs.counts_of(small(3))))
    assert list(load(path).started.values()) == ([started] if started else [])


def test_a_reason_is_any_text(path):
    why = b"Error\n\0\xff\x1b[31m" + b"x" * 10_000
    leave(path, beginning() + frame(COUNTS, runs.counts_of(small(3))) + frame(END, why))
    (process,) = load(path).processes
    assert process.reason is not None
    assert process.reason.startswith("Error\n\\x00\\xff\x1b[31m")


def test_frames_in_any_order_and_of_unknown_kinds(path):
    counts = frame(COUNTS, runs.counts_of(small(3)))
    it = leave(path)
    for content in (
        counts + beginning(),
        counts,
        frame(END, b"exit"),
        beginning() + beginning() + counts,
        beginning() + frame(99, b"x") + counts,
        beginning() + frame(END, b"exit") + counts,
        beginning() + frame(BASE) + frame(BEFORE) + counts,
        beginning() + frame(CHANGES, runs.counts_of(small(3))),
        beginning() + frame(COUNTS) + frame(CHANGES),
        beginning() + frame(BASE, b"x") + counts,
    ):
        put(it, content)
        assert outcome(path) is not None


def test_two_rows_of_one_context(path):
    counts = bytearray(runs.counts_of(snapshot()))
    head = HEAD.unpack_from(counts)
    at = HEAD.size + head[3] * 16 + head[4] * 32
    counts[at + NODE.size : at + 2 * NODE.size] = counts[at : at + NODE.size]
    leave(path, beginning() + frame(COUNTS, bytes(counts)))
    assert isinstance(outcome(path), list | str)


@pytest.mark.parametrize(
    ("function", "line", "hits"),
    [(5, 0, 1), (5, -1, 1), (6, 3, 1), (5, 3, 2**63), (5, 3, 2**64 - 1)],
)
def test_lines_that_no_function_has(path, function, line, hits):
    counts = bytearray(runs.counts_of(snapshot_of([(1, "main", 1)], [(5, "a", "f", "f", "a", 1)])))
    head = list(HEAD.unpack_from(counts))
    head[-1] = 1
    at = HEAD.size + head[3] * 16 + head[4] * 32
    counts[at:at] = LINE.pack(1, function, line, 0, hits, 0, 1, 1)
    leave(path, beginning() + frame(COUNTS, HEAD.pack(*head) + bytes(counts[HEAD.size :])))
    assert isinstance(outcome(path), str) or load(path).lines == {}


def test_names_that_no_file_has(path):
    """Those of functions come as bytes of anybody."""
    good = runs.counts_of(small(3))
    for name in (b"\xff\xfe", b"\xed\xa0\x80", b"\n\r", b"\x1b[3"):
        leave(path, beginning() + frame(COUNTS, good.replace(b"/srv/app.py", name.ljust(11, b"!"))))
        (record,) = load(path).records
        assert record.file == name.ljust(11, b"!").decode(errors="backslashreplace")


def test_what_is_no_part_is_left_out(path, tmp_path):
    it = leave(path, part(small(3)))
    os.mkfifo(os.path.join(it.directory, "fifo.part"))
    os.mkdir(os.path.join(it.directory, "directory.part"))
    other = tmp_path / "elsewhere"
    other.write_bytes(part(small(5), token="b" * 32))
    os.symlink(other, os.path.join(it.directory, "link.part"))
    os.symlink("nowhere", os.path.join(it.directory, "broken.part"))
    with open(os.path.join(it.directory, "huge.part"), "wb") as huge:
        huge.truncate(1 << 40)
    put(it, b"", 7)
    put(it, os.urandom(5000), 8)
    assert outcome(path) == [3]


def test_many_processes(path):
    leave(path, *(part(small(n), token=f"{n:032x}", pid=5_000_000 + n) for n in range(1, 65)))
    recording = load(path)
    assert len(recording.processes) == 64
    assert calls(recording) == [sum(range(1, 65))]


def test_the_file_is_made_of_complete_parts(path, monkeypatch):
    monkeypatch.setattr(alive, "children", set)  # those of other tests
    killed = beginning("b" * 32, about=rundir.where()) + frame(COUNTS, runs.counts_of(small(5)))
    it = leave(path, part(small(3)), killed)
    before = load(path)
    assert run.finish(str(path)) == 0
    assert not os.path.exists(it.directory)
    after = load(path)
    assert calls(before) == calls(after) == [8]
    assert [p.reason for p in before.processes] == [p.reason for p in after.processes]


def test_reading_leaves_the_directory_as_it_is(path):
    it = leave(path, part(small(3)))
    before = [(e.name, e.stat().st_mtime_ns) for e in os.scandir(it.directory)]
    content = path.read_bytes()
    load(path)
    assert [(e.name, e.stat().st_mtime_ns) for e in os.scandir(it.directory)] == before
    assert path.read_bytes() == content
    assert FRAME.size == 32
