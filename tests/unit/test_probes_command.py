# SPDX-License-Identifier: Apache-2.0
"""`pyusdt probes`: the table, for people, documents and programs."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

from harness import LIBRARY
from notes import notes

from pyusdt.commands.probes import table

DEADLINE = 60
SIZES = {"str": 8, "ptr": 8, "i32": -4, "u32": 4, "i64": -8, "u64": 8}


COMMAND = [sys.executable, "-m", "pyusdt", "probes"]


def probes(*options: str) -> str:
    done = subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_table_is_that_of_the_notes() -> None:
    """Every probe of the library, with as many arguments, of these sizes and signs."""
    found = notes(LIBRARY) | notes(LIBRARY.with_name("libpyusdt_compat.so"))
    assert [row["name"] for row in json.loads(probes("--json"))] == [p.name for p in table()]
    assert {p.name for p in table()} == found.keys()
    for probe in table():
        sizes = [SIZES[argument.split()[0]] for argument in probe.arguments]
        assert [int(n.split("@")[0]) for n in found[probe.name].arguments] == sizes, probe.name


def test_the_events_that_a_probe_needs() -> None:
    rows = {row["name"]: row for row in json.loads(probes("--json"))}
    assert rows["LINE"]["needs"] == ["LINE"]
    assert rows["C_RAISE"]["needs"] == ["CALL", "C_RAISE"]
    assert rows["mark"]["needs"] == []
    for row in rows.values():
        for event in row["needs"]:
            assert hasattr(sys.monitoring.events, event)


def test_json_has_all_that_is_known() -> None:
    (row,) = [row for row in json.loads(probes("--json")) if row["name"] == "mark"]
    assert row == {
        "provider": "pyusdt",
        "name": "mark",
        "arguments": [
            {"type": "str", "name": "name"},
            {"type": "str", "name": "text"},
            {"type": "i64", "name": "value"},
        ],
        "summary": "pyusdt.mark() is called",
        "needs": [],
    }


def cells(line: str) -> list[str]:
    return re.split(" {2,}", line)


def test_the_plain_table_has_a_line_for_each_probe() -> None:
    heading, *lines = probes().splitlines()
    assert cells(heading) == ["provider", "probe", "arguments", "fires when", "events"]
    for line, p in zip(lines, table(), strict=True):
        names = ", ".join(argument.split()[1] for argument in p.arguments)
        events = [", ".join(p.needs)] if p.needs and p.needs != (p.name,) else []
        assert cells(line) == [p.provider, p.name, names, p.summary, *events]


def test_the_table_on_a_terminal() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 200, 100, 0, 0))
    with open(ours, "rb") as screen:
        child = subprocess.Popen(COMMAND, stdout=theirs, env={**os.environ, "TERM": "xterm"})
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while some := screen.read1(4096):
                shown += some
        assert child.wait(DEADLINE) == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())
    assert text != shown.decode()
    assert all(len(line) <= 100 for line in text.splitlines())
    for probe in table():
        assert len(re.findall(rf"^{probe.full_name} ", text, re.MULTILINE)) == 1
