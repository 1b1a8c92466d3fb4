# SPDX-License-Identifier: Apache-2.0
"""Tracers over all processes, one after the other: each raises demand in the others' programs."""

from __future__ import annotations

import signal

import pytest
from harness import Program, maps
from scripts.kernel import answer, of, traced
from scripts.trace import PROGRAM, Trace, counts, tables, without_ids

pytestmark = pytest.mark.usefixtures("bpftrace", "library")


def test_pycalls_counts_processes_too_that_start_later() -> None:
    with Trace("pycalls", "lonely", "-f", "json") as trace:
        trace.expect("^Counting")
        with Program("-m", "pyusdt", PROGRAM, "waits", "remote") as program:
            # The word that all probes are in place: they are for this program, too.
            program.expect("^pyusdt: enabled")
            program.send("")
            assert program.wait() == 0
        trace.child.send_signal(signal.SIGINT)
        assert trace.wait() == 0
        (rows,) = tables(trace.output).values()
        assert counts(rows, "calls") == {("__main__", "lonely"): 7}


def test_pyoffcpu_names_the_function_that_sleeps() -> None:
    found = without_ids(maps(answer("pyoffcpu", "tired 307", "busy 307")), 3)
    # It may be put off the CPU before it sleeps, too, and that takes a little of its time.
    assert 1 <= found["waits[2, sleeps, tired, Thread.run]"] <= 5
    assert found["time[2, sleeps, tired, Thread.run]"] >= 307_000 * 0.9
    spun = sum(time for key, time in of(found, "time").items() if ", spins," in key)
    assert spun < 307_000 / 3


def test_pyexec_tells_each_program_and_who_starts_it() -> None:
    with traced("pyexec") as (program, tracer):
        program.send("starts 3")
        for _ in range(3):
            tracer.expect(rf"^{program.pid} +\d+ +starts +Thread\.run +\S*/true first second$")
        program.expect("^done starts$")
        program.send("forks 1")
        tracer.expect(rf"^{program.pid} +\d+ +forks +Thread\.run +\S*/true forked $")
        program.expect("^done forks$")
        tracer.finish()
