# SPDX-License-Identifier: Apache-2.0
"""Tracers other than bpftrace, as they are: perf, gdb, and who reads bpftrace's JSON.

Those of bcc are in tests/world: they need kernel headers of about the running kernel's age.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import LIBRARY, Process, Program, Tracer, probe
from notes import notes

pytestmark = pytest.mark.usefixtures("bpftrace", "library")

# Run as a text: its file has the same short name everywhere, "<string>".
CODE = (Path(__file__).parent / "programs/work.py").read_text()
LINE = CODE.split("\n").index("def work():") + 1
CALLS = 23
EVERY_PROBE = "sdt_pyusdt:*"
EVENTS = (
    "PY_START PY_RESUME PY_THROW PY_RETURN PY_YIELD PY_UNWIND CALL C_RETURN C_RAISE LINE "
    "RAISE RERAISE EXCEPTION_HANDLED STOP_ITERATION"
)


@pytest.fixture
def program() -> Iterator[Program]:
    with Program("-c", CODE) as program:
        program.expect("^ready")
        yield program
        assert program.wait() == 0


def run(*argv: str | Path) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def perf(tool: Callable[[str], str], tmp_path: Path) -> Iterator[list[str | Path]]:
    """perf, which knows our library, and its probes' events. The kernel has one list of them."""
    command: list[str | Path] = [tool("perf"), "--buildid-dir", tmp_path / "buildid"]
    run(*command, "buildid-cache", "--add", LIBRARY)
    run(*command, "probe", "--quiet", "--force", EVERY_PROBE)
    yield command
    run(*command, "probe", "--quiet", "--del", EVERY_PROBE)


def test_perf_records_each_call(program: Program, perf: list[str | Path], tmp_path: Path) -> None:
    data = tmp_path / "perf.data"
    orders, control = os.pipe()
    reply, answers = os.pipe()
    options = ["-D", "-1", f"--control=fd:{orders},{answers}", "-p", str(program.pid), "-o", data]
    record = [*perf, "record", *options, "-e", EVERY_PROBE]
    with Process(record, pass_fds=(orders, answers)) as recorder:
        os.write(control, b"enable\n")
        assert os.read(reply, 16).startswith(b"ack")
        program.expect_on(EVENTS)
        program.send(str(CALLS))
        program.expect("^done$")
        recorder.child.send_signal(signal.SIGINT)
        recorder.wait()
    for end in (orders, control, reply, answers):
        os.close(end)
    program.expect_off()
    samples = run(*perf, "script", "-i", data, "-F", "pid,event").splitlines()
    assert {sample.split()[0] for sample in samples} == {str(program.pid)}
    # Newer ones spell function__done with one underscore.
    heard = Counter(sample.split()[1].replace("__", "_") for sample in samples)
    # Reading its standard input, Python may run a function of its own.
    assert CALLS <= heard["sdt_pyusdt:PY_START:"] <= CALLS + 1
    assert heard["sdt_pyusdt:function_done:"] == heard["sdt_pyusdt:PY_START:"]
    assert CALLS * 2 < heard["sdt_pyusdt:LINE:"] < CALLS * 4


def test_gdb_lists_every_probe_with_its_semaphore(tool: Callable[[str], str]) -> None:
    text = run(tool("gdb"), "-batch", "-nx", "-ex", "info probes stap pyusdt", LIBRARY)
    rows = [line.split() for line in text.splitlines() if line.startswith("stap ")]
    listed = {row[2]: int(row[4], 16) for row in rows}
    assert sorted(row[2] for row in rows) == sorted(notes(LIBRARY))
    assert listed == {name: note.semaphore for name, note in notes(LIBRARY).items()}


def test_gdb_stops_at_a_probe_and_reads_its_arguments(
    program: Program, tool: Callable[[str], str]
) -> None:
    commands = [
        "break -probe-stap pyusdt:PY_START",
        f"ignore 1 {CALLS - 1}",
        "continue",
        r'printf "at %s, line %d, of %s\n", $_probe_arg0, $_probe_arg2, $_probe_arg1',
        "info breakpoints",
        "delete",
        "detach",
    ]
    options = [word for command in commands for word in ("-ex", command)]
    with Process([tool("gdb"), "-batch", "-nx", "-p", str(program.pid), *options]) as gdb:
        program.expect_on("PY_START")
        program.send(str(CALLS))
        gdb.expect(f"^at work, line {LINE}, of <string>$")
        gdb.expect(rf"^\s+breakpoint already hit {CALLS} times$")
        assert gdb.wait() == 0
    program.expect("^done$")
    program.expect_off()


def test_gdb_stops_in_a_callback_and_steps_through_its_lines(
    program: Program, tool: Callable[[str], str]
) -> None:
    """A callback is functions with lines, not one line of a macro."""
    commands = [
        "break -probe-stap pyusdt:PY_START",  # so that the event is enabled
        "break on_PY_START",
        "continue",
        "info symbol $pc",
        *["step"] * 4,
        "delete",
        "detach",
    ]
    options = [word for command in commands for word in ("-ex", command)]
    with Process([tool("gdb"), "-batch", "-nx", "-p", str(program.pid), *options]) as gdb:
        program.expect_on("PY_START")
        program.send(str(CALLS))
        gdb.expect(r"^on_PY_START in section \.text")
        gdb.expect(r"^on_event .*callback_full\.c:\d+$|^\d+\s+.*(traits|code_find|rejected)")
        assert gdb.wait() == 0
    program.expect("^done$")
    program.expect_off()


def test_a_json_reader_gets_maps_and_lines(program: Program) -> None:
    script = (
        f'{probe("PY_START")} /str(arg0, 32) == "work"/ {{ @calls[str(arg0, 32), arg2] = count();'
        ' printf("%s\\n", str(arg1, 64)); }'
    )
    with Tracer(script, program.pid, "-f", "json") as tracer:
        program.expect_on("PY_START")
        program.send(str(CALLS))
        program.expect("^done$")
        tracer.expect("<string>")
        text = tracer.finish()
    records = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    maps = {name: data for r in records if r["type"] == "map" for name, data in r["data"].items()}
    assert maps["@calls"] == {f"work,{LINE}": CALLS}
    assert {"type": "printf", "data": "<string>\n"} in records
