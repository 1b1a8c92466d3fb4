# SPDX-License-Identifier: Apache-2.0
"""The watcher thread: one, by its name, deaf to signals, gone when stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.asan  # not tsan, whose runtime brings a thread of its own

PROGRAMS = Path(__file__).parent / "programs/watcher"


def check(run, source: str | Path) -> None:
    assert run(source, "idle") == ("ok\n", "", 0)


def test_one_thread_by_its_name(run):
    check(run, PROGRAMS / "one_thread.py")


def test_it_is_started_and_stopped_once(run):
    check(run, PROGRAMS / "starts_and_stops.py")


def test_it_takes_no_signal_of_the_program(run):
    check(run, PROGRAMS / "blocked_signals.py")


def test_the_program_keeps_its_own_mask(run):
    check(run, PROGRAMS / "own_mask.py")


def test_a_signal_handler_runs_while_events_come_and_go(run):
    check(run, PROGRAMS / "signals.py")
