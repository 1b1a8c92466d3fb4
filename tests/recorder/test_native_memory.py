# SPDX-License-Identifier: Apache-2.0
"""Memory that C code takes from malloc() and mmap(), by the Python function that called it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import DEADLINE, ROOT

import pyusdt
from pyusdt.recording import Recording
from pyusdt.recording.memory import NOTHING, MemoryFigures

from .programs import takes
from .programs.takes import MB

pytestmark = pytest.mark.asan

SOURCE = Path(takes.__file__).with_suffix(".c")


@pytest.fixture(scope="module")
def library(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a directory of its own: a copy of it is another library."""
    path = tmp_path_factory.mktemp("takes") / "libtakes.so"
    subprocess.run([tool("gcc"), "-shared", "-fPIC", "-O1", SOURCE, "-o", path], check=True)
    return path


@pytest.fixture(autouse=True)
def loaded(library: Path) -> Iterator[None]:
    takes.library = takes.load(str(library))
    yield
    takes.forget()


def of(recording: Recording, name: str) -> MemoryFigures:
    """Of the function, and of those in C that it calls."""
    sum_ = NOTHING
    for row in recording.memory_rows:
        records = (row.record, row.line_record)
        if any(record and record.qualname == name for record in records):
            sum_ = sum_.plus(row.figures)
    return sum_


def recorded(call: Callable[[], object], memory: Any) -> Recording:
    takes.forget()  # as long as it was the last time
    with pyusdt.record(lines=takes.__name__, memory=memory) as rec:
        call()
    return rec.recording


def native(call: Callable[[], object], name: str = "") -> tuple[int, int]:
    """Bytes and blocks alive that only memory=True has, beside what Python's allocators gave."""
    call()
    figures = [of(recorded(call, which), name or call.__name__) for which in ("python", True)]
    python, both = figures
    return both.live_bytes - python.live_bytes, both.live_blocks - python.live_blocks


@pytest.mark.parametrize(
    ("call", "size", "blocks"),
    [
        (takes.blocks, 5 * MB, 5),
        (takes.moved, 3 * MB, 1),
        (takes.copies, 10 * 10_000, 10),
        (takes.given, 0, 0),
        (takes.mapped, 10 * MB, 1),
        (takes.unmapped, 0, 0),
        (takes.of_module, 10 * MB, 1),
    ],
)
def test_native_memory_by_function(call: Callable[[], None], size: int, blocks: int) -> None:
    assert native(call) == (size, blocks)


def test_python_memory_counts_once() -> None:
    """Its blocks come from malloc(), and its arenas from mmap()."""
    found = of(recorded(takes.buffers, True), "create_string_buffer")
    assert found.biggest == MB
    assert found.live_bytes - MB in range(10_000)  # with the type that it makes


def test_a_library_that_takes_its_memory_itself() -> None:
    size, _ = native(takes.database)
    assert 1000 * 1000 < size < 1500 * 1000


def test_a_library_that_is_loaded_meanwhile(library: Path, tmp_path: Path) -> None:
    other = shutil.copy(library, tmp_path / "libother.so")
    found = of(recorded(lambda: takes.loaded_meanwhile(other), True), "loaded_meanwhile")
    assert found.biggest == MB


def test_a_thread_that_has_nothing_of_python() -> None:
    recording = recorded(takes.elsewhere, True)
    (found,) = (row.figures for row in recording.memory_rows if row.figures.biggest == MB)
    assert (found.live_bytes, found.live_blocks) == (MB, 1)
    assert recording.processes[0].memory == "all"
    assert of(recording, "elsewhere").biggest < MB


def test_hooks_come_and_go_under_load() -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            block = takes.library.move(takes.library.take(1000), 5000)
            takes.library.give(block)
            takes.unmapped()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            with pyusdt.record(memory=True) as rec:
                takes.given()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert rec.recording.losses == {}


AT_EXIT = """
import atexit, threading, time
from recorder.programs import takes
takes.library = takes.load({library!r})
atexit.register(takes.blocks)

def work():
    while True:
        takes.given()
        takes.unmapped()

for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
takes.blocks()
"""


def test_threads_that_take_memory_until_the_end(library: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.pyusdt"
    code = AT_EXIT.format(library=str(library))
    run = [sys.executable, "-m", "pyusdt", "--memory", "-o", out, "-c", code]
    done = subprocess.run(run, cwd=ROOT / "tests", capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    assert of(pyusdt.load(out), "blocks").live_bytes >= 5 * MB
