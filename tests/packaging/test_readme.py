# SPDX-License-Identifier: Apache-2.0
"""The README, pasted from the first line to the last, where nothing but a clone is."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import ROOT, Process

pytestmark = pytest.mark.once

BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEADLINE = 240


def pasted() -> Iterator[tuple[str, str, str]]:
    """Each command: its prompt, itself, and the output that is shown below it. A block of Python is
    the input of one, away from the sources."""
    for kind, text in BLOCK.findall((ROOT / "README.md").read_text()):
        if kind == "python":
            yield "$", f"python -P - <<'END'\n{text}END", ""
            continue
        for part in re.split(r"^(?=[$#] )", text, flags=re.MULTILINE):
            if part[:2] in ("$ ", "# "):
                command = re.match(r"[^'\n]*(?:'[^']*'[^'\n]*)*", part[2:])  # may hold newlines
                assert command
                yield part[0], command[0].strip(), part[2 + command.end() :].strip()


def words(text: str) -> set[str]:
    """What does not change from run to run: no figures, no bars, no short units."""
    return set(re.findall(r"[A-Za-z_]{3,}", text))


@pytest.fixture
def shell(checkout: Path, tmp_path: Path) -> Iterator[Process]:
    """A shell in a fresh clone, whose python3 is the one under test, and no pyusdt is anywhere."""
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python3").write_text(f'#!/bin/sh\nexec {base} "$@"\n')
    (programs / "python3").chmod(0o755)
    ours = str(Path(sys.executable).parent)
    path = [p for p in os.environ["PATH"].split(os.pathsep) if p != ours]
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYUSDT", "VIRTUAL"))
    }
    kept |= {"PATH": os.pathsep.join([str(programs), *path]), "COLUMNS": "100"}
    with Process(["bash"], cwd=checkout, env=kept, start_new_session=True) as bash:
        try:
            yield bash
        finally:  # with the programs in the background, which hold its output
            os.killpg(bash.pid, signal.SIGKILL)


@pytest.mark.skipif(os.geteuid() != 0, reason="tracing, and recording another process, need root")
@pytest.mark.usefixtures("bpftrace")
def test_every_block_runs(shell: Process) -> None:
    listed = list(pasted())
    assert len(listed) > 20
    for prompt, command, shown in listed:
        shell.send(command)
        if command.endswith("&"):
            shell.expect(rf"^{shown}$")
            continue
        before = len(shell.output)
        shell.send('echo "exit code $?"')
        done = shell.expect(r"^exit code (\d+)$", DEADLINE)
        assert done[1] == "0", f"{command}\n{shell.output[before:]}"
        if prompt == "$":
            assert words(shown) <= words(shell.output[before:]), command
