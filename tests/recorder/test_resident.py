# SPDX-License-Identifier: Apache-2.0
"""What a process has in RAM, over time."""

from __future__ import annotations

import time
from pathlib import Path

from harness import DEADLINE

import pyusdt
from pyusdt.recording import Recording
from pyusdt.recording.memory import ResidentRow

MB = 1_000_000


def points(recording: Recording) -> list[ResidentRow]:
    (process,) = recording.processes
    return recording.resident.get(process.id, [])


def await_point(rec: pyusdt.record) -> ResidentRow:
    """One that is taken from now on."""
    now = time.monotonic_ns()
    while not (found := points(rec.recording)) or found[-1].at_ns < now:
        assert time.monotonic_ns() < now + DEADLINE * 10**9
    return found[-1]


def test_memory_that_is_held_for_a_while(tmp_path: Path) -> None:
    path = tmp_path / "out.pyusdt"
    with pyusdt.record(path) as rec:
        held = bytearray(100 * MB)
        held[::1024] = bytes([1]) * len(held[::1024])
        during = await_point(rec)
        held.clear()
        after = await_point(rec)
    assert during.rss_bytes - after.rss_bytes > 90 * MB
    rows = points(rec.recording)
    assert points(pyusdt.load(path)) == rows
    assert {during, after} <= {*rows}
    assert [row.at_ns for row in rows] == sorted({row.at_ns for row in rows})
    assert all(row.peak_bytes >= row.rss_bytes for row in rows)


def test_each_recording_has_its_own_time() -> None:
    with pyusdt.record() as outer:
        before = await_point(outer)
        with pyusdt.record() as inner:
            within = await_point(inner)
    assert within in points(inner.recording)
    assert before not in points(inner.recording)
    assert {before, within} <= {*points(outer.recording)}
