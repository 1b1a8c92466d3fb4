# SPDX-License-Identifier: Apache-2.0
"""A process that writes into its own control struct what it likes, or maps what is no library."""

import mmap
import os
import random
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import DEADLINE, LIBRARY, Process, Program, environment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyusdt.recording import plausible
from pyusdt.recording.counts import CHARGE, DURATION, LINE, Counts, unpack
from pyusdt.recording.snapshot import FunctionRow
from pyusdt.remote import apart, elf
from pyusdt.remote.attached import Process as Traced
from pyusdt.remote.control_layout import SIZES, VERSION, Control, snapshot

SIZE = SIZES[VERSION]
STATUS = Control.status.offset
READY = "print('ready', flush=True)"
ESCAPE = b"\x1b]0;PWN\x07\x9b31m\n"
INSIDE = [
    pytest.param(304, ESCAPE, id="python"),
    pytest.param(2400, ESCAPE, id="a probe"),
    pytest.param(4448, ESCAPE, id="a loss"),
    pytest.param(328 + 24, ESCAPE, id="only"),
    pytest.param(328 + 8, b"\xff" * 8, id="values and check_msec"),
    pytest.param(20, b"\xff" * 28, id="numbers"),
    pytest.param(0, b"\1\0\0\0", id="an odd sequence"),
]


@pytest.fixture
def target() -> Iterator[Program]:
    with Program("-c", f"import pyusdt; pyusdt.libpyusdt.stop(); {READY}; input()") as program:
        program.expect("^ready")
        yield program


def run(*words: str) -> subprocess.CompletedProcess[bytes]:
    """A command; whatever it finds, it ends soon, says no more than lines, and has no traceback."""
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pyusdt", *words], env={**environment(), "PYUSDT_VERBOSE": "0"},
        capture_output=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert time.monotonic() - begin < 20  # the machine may be busy
    shown = (done.stdout + done.stderr).decode()
    assert b"Traceback" not in done.stderr
    assert shown.replace("\n", "").isprintable()
    return done


def write(pid: int, offset: int, data: bytes) -> None:
    with Traced(pid) as process, open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(process.address + offset)
        memory.write(data)


@pytest.mark.parametrize(("offset", "data"), INSIDE)
def test_a_status_that_makes_no_sense(target: Program, offset: int, data: bytes) -> None:
    write(target.pid, STATUS + 16, b"\1\0\0\0")  # as if its watcher ran
    write(target.pid, STATUS + offset, data)
    for words in (["status"], ["status", "-p", str(target.pid)]):
        run(*words)
    assert run("set", "-p", str(target.pid), "--slow", "5ms").returncode == 1


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, SIZE - 1), st.integers(0, 2**32))
def test_any_struct_is_read(patch: bytes, at: int, seed: int) -> None:
    data = bytearray(random.Random(seed).randbytes(SIZE))
    data[at : at + len(patch)] = patch
    found = snapshot(bytes(data[:SIZE]))
    names = [*found.status["probes_fired"], *found.status["losses"], found.status["python"]]
    assert all(name.isprintable() for name in names)


HEAD = struct.Struct("=d2Q18I")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.floats() | st.just(1.0),
    st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 2), min_size=18, max_size=18),
    st.binary(max_size=400),
)
def test_any_counts_are_refused_or_fit(rate: float, sizes: list[int], body: bytes) -> None:
    functions: dict[int, object] = {}
    try:
        counts: Counts = unpack(HEAD.pack(rate, 1, 1, *sizes) + body, functions)  # type: ignore[arg-type]
        plausible.require(counts, functions)
    except ValueError:
        return
    assert all(row.function in functions for row in counts.nodes)
    assert all(max(row) < 2**63 for row in counts.nodes)


def test_durations_of_an_unknown_function_are_refused() -> None:
    sizes = [0, 0, 0, 0, 1, *[0] * 13]
    counts = unpack(HEAD.pack(1.0, 1, 1, *sizes) + DURATION.pack(1, 7, 100, 1, 0, 0), {})
    assert len(counts.histograms) == 1
    with pytest.raises(ValueError, match="no name"):
        plausible.require(counts, {})


@pytest.mark.parametrize(
    ("kind", "function", "ns", "line", "why"),
    [
        (0, 7, 1, 0, "no name"),
        (10, 0, 2**63, 0, "charges beyond any"),
        (11, 0, 1, 0, "make no sense"),
        (10, 0, 1, -1, "line -1"),
        (10, 0, 1, 2**31 - 1, None),
    ],
)
def test_charges_that_no_sampler_makes_are_refused(
    kind: int, function: int, ns: int, line: int, why: str | None
) -> None:
    sizes = [0, 0, 0, 0, 0, 1, *[0] * 12]
    data = HEAD.pack(1.0, 1, 1, *sizes) + CHARGE.pack(1, 0, function, kind, 0, 17, 1, ns, line, 0)
    if why is None:
        plausible.require(unpack(data, {}), {})
        return
    with pytest.raises(ValueError, match=why):
        plausible.require(unpack(data, {}), {})


@pytest.mark.parametrize(
    ("function", "line", "hits", "ticks", "why"),
    [
        (7, 1, 1, 1, "no name"),
        (3, 0, 1, 1, "line 0"),
        (3, -(2**31), 1, 1, "line -2147483648"),
        (3, 1, 2**64 - 1, 1, "counts beyond any"),
        (3, 1, 1, 2**63, "counts beyond any"),
        (3, 2**31 - 1, 1, 1, None),
    ],
)
def test_lines_that_no_function_has_are_refused(
    function: int, line: int, hits: int, ticks: int, why: str | None
) -> None:
    sizes = [0] * 11 + [1, *[0] * 6]
    data = HEAD.pack(1.0, 1, 1, *sizes) + LINE.pack(1, function, line, 0, hits, 0, ticks, 1)
    functions = {3: FunctionRow(3, "app", "f", "f", "/app.py", 1)}
    if why is None:
        plausible.require(unpack(data, functions), functions)
        return
    with pytest.raises(ValueError, match=why):
        plausible.require(unpack(data, functions), functions)


CRAFTED: dict[str, Callable[[bytearray], None]] = {
    "many sections": lambda data: struct.pack_into("=H", data, 60, 0xFFFF),
    "many segments": lambda data: struct.pack_into("=H", data, 56, 0xFFFF),
    "sections far away": lambda data: struct.pack_into("=Q", data, 40, 2**63 + 1),
    "segments far away": lambda data: struct.pack_into("=Q", data, 32, 2**64 - 1),
    "no size": lambda data: struct.pack_into("=HH", data, 58, 0, 0),
    "another machine": lambda data: struct.pack_into("=B", data, 4, 1),
}


@pytest.mark.parametrize("how", CRAFTED)
def test_a_crafted_library_is_refused(how: str, tmp_path: Path) -> None:
    data = bytearray(LIBRARY.read_bytes())
    CRAFTED[how](data)
    (tmp_path / "x.so").write_bytes(data)
    with (tmp_path / "x.so").open("rb") as file, pytest.raises(ValueError, match=r"."):
        elf.distance_of(b"pyusdt_control", file.fileno())


def test_a_damaged_library_is_refused_or_read(tmp_path: Path) -> None:
    chance = random.Random(5)
    whole = LIBRARY.read_bytes()
    path = tmp_path / "x.so"
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(4):
            at = chance.choice([chance.randrange(64), chance.randrange(len(data) - 8)])
            data[at : at + 8] = chance.randbytes(8)
        path.write_bytes(data)
        with path.open("rb") as file:
            try:
                elf.distance_of(b"pyusdt_control", file.fileno())
            except ValueError:
                continue


def test_a_pipe_in_place_of_the_library_is_not_opened(tmp_path: Path) -> None:
    """Nor is anything else that has taken its path."""
    library = tmp_path / "libpyusdt.so"
    library.write_bytes(bytes(mmap.PAGESIZE))
    code = (
        f"import mmap, os; f = open({str(library)!r}, 'r+b'); m = mmap.mmap(f.fileno(), 0); "
        f"f.close(); os.unlink({str(library)!r}); os.mkfifo({str(library)!r}); {READY}; input()"
    )
    with Process([sys.executable, "-c", code]) as process:
        process.expect("^ready")
        done = run("status", "-p", str(process.pid))
        assert done.returncode == 1
        assert b"is no ELF library" in done.stderr or b"cannot be read" in done.stderr
        assert run("status").returncode == 0


def test_one_that_keeps_others_waiting_costs_no_more_than_its_time() -> None:
    begin = time.monotonic()

    def look(item: int) -> int:
        if item % 3 == 0:
            time.sleep(60)
        return item

    found = apart.each_within(0.5, look, range(30))
    assert time.monotonic() - begin < 20
    assert [item for item, result in found if result != item] == list(range(0, 30, 3))
    assert all(isinstance(result, apart.LateError) for item, result in found if item % 3 == 0)


def test_a_long_command_line_is_cut(tmp_path: Path) -> None:
    words = ["x" * 100_000] * 10
    with Process([sys.executable, "-c", f"import pyusdt; {READY}; input()", *words]) as process:
        process.expect("^ready")
        done = run("status", "-p", str(process.pid), "--json")
        assert 60_000 < len(done.stdout) < 80_000


@pytest.mark.parametrize("number", ["INT", "TERM"])
def test_a_signal_ends_a_wait_at_once(target: Program, number: str, tmp_path: Path) -> None:
    """A process that never answers: there is nothing recorded yet, and nothing stays behind."""
    write(target.pid, STATUS + 16, b"\1\0\0\0")
    write(target.pid, STATUS + 328 + 12, struct.pack("=I", 10_000))
    words = ["record", "-p", str(target.pid), "-o", str(tmp_path / "out.pyusdt")]
    with Process([sys.executable, "-m", "pyusdt", *words]) as process:
        while not any(name.endswith(".new") for name in os.listdir(tmp_path)):
            time.sleep(0.01)
        subprocess.run(["kill", f"-{number}", str(process.pid)], check=True)
        assert process.wait() == (130 if number == "INT" else 143)
    assert os.listdir(tmp_path) == []
