# SPDX-License-Identifier: Apache-2.0
"""Runs the call of a test under a recorder, and judges what it has taken. pyusdt_pytest.py, which
pytest loads, calls this."""

import gc
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import perf_counter_ns
from typing import Any, NoReturn

import pytest

from pyusdt import running
from pyusdt.errors import UserError, one_line
from pyusdt.limits import Limits, limits
from pyusdt.recorder import record
from pyusdt.recording import Recording

_TOO_LITTLE = (
    "blocks beyond memory",
    "slots of native memory that are read-only",
    "times that another tool has put out the hooks of memory",
)
"""Losses that make figures of memory too small."""


def _fail(message: object) -> NoReturn:
    pytest.fail(f"pyusdt: {one_line(message)}", pytrace=False)


def understood(marks: Sequence[pytest.Mark]) -> Limits:
    """What the markers ask for together; the first is the nearest. Fails the test where that cannot
    be understood."""
    asked: dict[str, Any] = {}
    for mark in reversed(marks):
        if mark.args or not mark.kwargs:
            _fail("the marker takes max_memory=, max_time= and no_leaks=, by name")
        asked |= mark.kwargs
    try:
        return limits(asked)
    except ValueError as error:
        why = str(error)
    _fail(f"in the marker, {why}")


@contextmanager
def judged(marks: Sequence[pytest.Mark]) -> Generator[None]:
    """A call: it fails the test if it takes more than they say. If it raises, it is not judged."""
    allowed = understood(marks)
    if not any(allowed):
        yield
        return
    others = [recorder for recorder in running.recorders if recorder.memory]
    lines = "*" if allowed.of_memory else None
    recorder = record(memory=allowed.of_memory, lines=lines, source=False)
    with ExitStack() as stack:
        if why := _refusal(stack, recorder):
            _fail(f"the test cannot be recorded: {why}")
        began_ns = perf_counter_ns()
        yield
        took_ns = perf_counter_ns() - began_ns
        if allowed.left:
            gc.collect()
    recording = recorder.recording
    if others and allowed.memory:
        _warn(
            "max_memory is not judged: another recorder has recorded memory before, as has the peak"
        )
        allowed = allowed._replace(memory=None)
    if allowed.of_memory:
        for doubt in _doubts(recording):
            _warn(doubt)
    if complaints := [*_complaints(allowed, recording, took_ns)]:
        first = "; ".join(headline for headline, _ in complaints)
        pytest.fail("\n\n".join([f"pyusdt: {first}", *(table for _, table in complaints)]), False)


def _refusal(stack: ExitStack, recorder: record) -> str:
    """Why the recorder could not be entered, or ""."""
    try:
        stack.enter_context(recorder)
    except UserError as error:
        return str(error)
    return ""


def _warn(message: str) -> None:
    warnings.warn(pytest.PytestWarning(f"pyusdt: {message}"), stacklevel=1)


def _doubts(recording: Recording) -> Iterator[str]:
    """What makes the figures too small."""
    if recording.processes[0].memory != "all":
        yield "native memory was not recorded: figures are too small"
    for name in _TOO_LITTLE:
        if count := recording.losses.get(name):
            yield f"lost: {count:,} {name}: figures may be too small"


def _complaints(allowed: Limits, recording: Recording, took_ns: int) -> Iterator[tuple[str, str]]:
    """For each limit that is exceeded a headline, and where that was."""
    from pyusdt import limits_report as report
    from pyusdt.report.text import duration

    total, (memory, time, left) = recording.memory_totals, allowed
    if memory and total.peak_bytes > memory.most:
        what = f"{total.peak_bytes:,} bytes alive at the peak, {memory.shown}"
        yield what, report.at_peak(recording)
    if time and took_ns > time.most:
        yield f"{duration(took_ns)}, {time.shown}", report.by_function(recording)
    if left and total.live_bytes > left.most:
        what = f"{total.live_bytes:,} bytes alive afterwards, {left.shown}"
        yield what, report.left_alive(recording)
