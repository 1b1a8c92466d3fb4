# SPDX-License-Identifier: Apache-2.0
"""Each command of a page runs, and prints what the page shows. Numbers may be others."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness import ROOT

from docs import PAGES

pytestmark = pytest.mark.once

CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^([$#]) (.+)\n((?:(?![$#] ).*\n)*)", re.MULTILINE)
WITH_COMMANDS = [page for page in sorted(PAGES.rglob("*.md")) if CONSOLE.search(page.read_text())]
SEPARATOR = "<<< next command >>>"
# A program in the background is waited for until it has printed what the page shows of it.
BEHIND = """\
{command} >behind 2>&1 &
until grep -qxF {word} behind; do kill -0 $! && sleep 0.05; done
cat behind
"""


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(PAGES)))
def test_commands(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    listed = [c for block in CONSOLE.findall(page.read_text()) for c in COMMAND.findall(block)]
    if any(prompt == "#" for prompt, _, _ in listed):
        request.getfixturevalue("bpftrace")
    for program in (ROOT / "examples").glob("*.py"):
        shutil.copy(program, tmp_path)
    outputs = run([(command, shown) for _, command, shown in listed], tmp_path)
    for (_, command, shown), output in zip(listed, outputs, strict=True):
        printed = set(map(masked, output.replace(f"{tmp_path}/", "").splitlines()))
        wanted = [masked(line) for line in shown.splitlines() if line != "..."]
        assert [line for line in wanted if line not in printed] == [], f"{command}\n{output}"


def run(commands: list[tuple[str, str]], directory: Path) -> list[str]:
    """What each command prints, run one after the other in one shell, as a reader would."""
    script = ["set -e", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for command, shown in commands:
        script.append(f"echo '{SEPARATOR}'")
        if command.endswith(" &"):
            word = shown.splitlines()[0]
            script.append(BEHIND.format(command=command.removesuffix(" &"), word=word))
        else:
            script.append(command)
    names = os.environ.keys() - {name for name in os.environ if name.startswith("PYUSDT_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=directory,
        env={name: os.environ[name] for name in names} | {"PATH": path},
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split(f"{SEPARATOR}\n")[1:]


def masked(line: str) -> str:
    """`line` without what differs from run to run: numbers, their units, bars and room."""
    line = re.sub(r"(?<!\S)[\u2580-\u259fcdglnoprs]{8}(?!\S)", "", line)  # of CPU and waits
    line = re.sub(r"(?<!\S)-(?!\S)|[~<]?\d[\d.,:]*( ?(ns|µs|ms|s|B|kB|MB)\b|%)?", "N", line)
    return " ".join(re.sub(r"[\u2580-\u259f]", "", line).split())
