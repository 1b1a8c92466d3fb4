# SPDX-License-Identifier: Apache-2.0
"""What is watched is on, and nothing else: the semaphores of the real library, raised from inside.

Where CPython and our table give the same answer, the answers here are written by hand.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from harness import DEADLINE, LIBRARY, LINE_EVENTS, Process, inside
from notes import notes

pytestmark = [pytest.mark.asan, pytest.mark.tsan]

PROGRAMS = Path(__file__).parent / "programs/demand"

CALLS = {"CALL"}  # brings C_RETURN and C_RAISE along, which CPython does not show
FRAMES = {"PY_START", "PY_RESUME", "PY_THROW", "PY_RETURN", "PY_YIELD", "PY_UNWIND"}
EVENTS = {
    **{name: {name} for name in sorted(FRAMES)},
    **{name: {name} for name in ("RAISE", "RERAISE", "EXCEPTION_HANDLED")},
    "LINE": set(LINE_EVENTS),
    "STOP_ITERATION": {"STOP_ITERATION"},
    **dict.fromkeys(["CALL", "C_RETURN", "C_RAISE"], CALLS),
    "function__done": FRAMES,
    "function__slow": FRAMES,
    "function__latency": FRAMES,
    "thread__state": FRAMES,
    "mem__large": FRAMES,
    "events": FRAMES,
    "code__new": {"PY_START"},
}
NO_EVENTS = {"gc__begin", "gc__end", "mark", "step__start", "step__done"}


def run(program: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a file, or a text."""
    how = [program] if isinstance(program, Path) else ["-c", dedent(program)]
    return subprocess.run(
        [sys.executable, *how],
        env=inside(**variables),
        text=True,
        errors="backslashreplace",
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )


def answer(program: str | Path, **variables: str) -> Any:
    """What a program prints as JSON; it has nothing else to say."""
    done = run(program, **variables)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize("watched", ["at import", "later"])
def test_every_probe_has_its_events_and_no_others(watched: str) -> None:
    """At import, what is watched is on when `import pyusdt` returns; later, the watcher sees it."""
    found = answer(PROGRAMS / "each_probe.py", PROBES=json.dumps(list(EVENTS)), WATCHED=watched)
    assert found == {name: [4, sorted(events)] for name, events in EVENTS.items()}


def test_the_table_here_is_whole() -> None:
    assert set(notes(LIBRARY)) == set(EVENTS) | NO_EVENTS


def test_events_are_those_of_all_that_is_watched() -> None:
    answer(PROGRAMS / "all_that_is_watched.py")


@pytest.mark.parametrize("others", [[], ["code__new"]], ids="".join)
def test_a_function_of_one_line_has_its_line(others: list[str]) -> None:
    """From 3.13 on only while PY_START is enabled, and stays so."""
    assert answer(PROGRAMS / "one_line.py", OTHERS=json.dumps(others), PYUSDT_ONLY="*:f,*:g") == 200


def test_what_needs_no_event_holds_no_tool_id() -> None:
    answer(PROGRAMS / "no_events.py")


def test_idle_holds_nothing() -> None:
    answer(PROGRAMS / "idle.py")


def test_check_msec_is_how_often_the_watcher_looks() -> None:
    """While one with 10 looks anew and reacts, one with 10000 that was up before it does not."""

    def start(msec: str, word: str) -> Process:
        program = [sys.executable, PROGRAMS / "react.py", word]
        return Process(program, env=inside(PYUSDT_CHECK_MSEC=msec))

    with start("10000", "wait") as rare, start("10", "react") as often:
        for program in (rare, often):
            program.expect("^ready")
        rare.send("")
        rare.expect("^up")
        often.send("")
        often.expect("^reacted")
        rare.send("")
        assert rare.expect("^on:(.*)$")[1] == ""
        assert rare.wait() == 0  # at once, although the watcher sleeps


BAD = {
    "PYUSDT_CHECK_MSEC": ["0", "-5", "10001", "ten", "1.5", "9" * 40, "10 ms", "0x10"],
    "PYUSDT_VALUES": ["SAFE", "yes", "repr ", "x" * 10_000, "a\nb\x1b", "\udcff"],
    "PYUSDT_SLOW_USEC": ["-1", "1ms", "9" * 40],
    "PYUSDT_LARGE_BYTES": ["0", "-1", "1.5MB", "64 KiB", "1mb", "0x10", "4GiB", "9" * 40],
    "PYUSDT_VERBOSE": ["2", "yes", "-1"],
}


@pytest.mark.parametrize(
    "variable, value",
    [(variable, value) for variable, values in BAD.items() for value in values],
    ids=lambda text: repr(text)[:20],
)
def test_a_bad_setting_is_one_line_and_the_default_stays(variable: str, value: str) -> None:
    done = run(
        """
        import semaphores
        import pyusdt
        semaphores.up("PY_RETURN")
        semaphores.wait_for("PY_RETURN")
        """,
        **{variable: value},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"pyusdt: {variable}=")
    assert line.isprintable()
    assert len(line) < 600


def test_all_bad_settings_are_a_line_each() -> None:
    done = run("import pyusdt", **dict.fromkeys(BAD, "?"))
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert sorted(line.split("=")[0] for line in lines) == sorted(f"pyusdt: {v}" for v in BAD)


@pytest.mark.parametrize("variable", BAD)
def test_an_empty_setting_is_none(variable: str) -> None:
    done = run("import pyusdt", **{variable: ""})
    assert (done.returncode, done.stderr) == (0, "")


def test_verbose_says_what_goes_on_and_off() -> None:
    done = run(PROGRAMS / "verbose.py", PYUSDT_VERBOSE="1")
    assert done.stderr.splitlines() == [
        "pyusdt: ready",
        "pyusdt: enabled, tool id 4: PY_START LINE",
        "pyusdt: enabled, tool id 4: PY_START",
        "pyusdt: disabled",
    ]


def test_calls_are_told_once_whatever_else_comes_and_goes_meanwhile() -> None:
    """Whoever is alone has callbacks of its own: calls begin under those and end under others."""
    fired = answer(PROGRAMS / "calls_once.py", PYUSDT_ONLY="__main__:inner,__main__:*alone")
    assert fired == 3 + (2 + 3 + 5 + 7)


@pytest.mark.parametrize("first", ["function__done", "function__slow", "thread__state", "events"])
def test_an_event_that_is_on_is_heard_at_once(first: str) -> None:
    """A tracer attaches probe by probe, and the watcher may not look before the last one."""
    fired = answer(
        PROGRAMS / "at_once.py",
        FIRST=first,
        PYUSDT_ONLY="__main__:work",
        PYUSDT_CHECK_MSEC="10000",
    )
    assert fired == [100, 100]
