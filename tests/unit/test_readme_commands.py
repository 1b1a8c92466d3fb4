# SPDX-License-Identifier: Apache-2.0
"""The README: its commands are known, its code runs. tests/packaging runs all of it, in order."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from harness import ROOT, Process

from pyusdt.commands import VERBS
from pyusdt.commands.probes import table
from pyusdt.launch import options
from pyusdt.tracing.scripts import collection, find

pytestmark = pytest.mark.once

README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE = [text for kind, text in BLOCK.findall(README) if kind == "console"]
PYTHON = [text for kind, text in BLOCK.findall(README) if kind == "python"]
# What a name stands for in the text.
STANDS_FOR = {"PID": "1", "$!": "1", " &": "", "TOOL": "pylat"}


def commands(block: str, prompt: str) -> Iterator[tuple[str, str]]:
    """Each command of the block after this prompt, and the output that is shown below it."""
    for part in re.split(r"^(?=[$#] )", block, flags=re.MULTILINE):
        if part.startswith(prompt):
            quoted = re.match(r"[^'\n]*(?:'[^']*'[^'\n]*)*", part[2:])  # a quote may hold newlines
            assert quoted
            yield quoted[0].strip(), part[2 + quoted.end() :].strip()


def test_the_commands_of_root_are_known() -> None:
    asked = [command for block in CONSOLE for command, _ in commands(block, "# ")]
    known = {"pyusdt": accepted, "bpftrace": one_liner}
    for command in asked:
        if not command.startswith("LIBRARY="):
            known[command.split()[0]](command)
    assert len(asked) > 6


def test_the_targets_of_make_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"`make ([a-z]+)`", README)
    assert {"demo", "test", "dist"} <= set(targets)
    assert [name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


def test_the_commands_in_the_text_are_known() -> None:
    text = BLOCK.sub("", README)
    found = re.findall(r"`(pyusdt [a-z-][^`]*)`", text)
    assert len(found) > 15
    for command in found:
        accepted(command)


def test_every_tool_stands_beside_a_question() -> None:
    rows = re.findall(r"^\| .+\? \| (`py.*) \|$", README, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {script.name for script in collection()}


def test_the_options_of_a_run_are_those_of_the_launcher() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pyusdt", "--help"], capture_output=True, text=True, check=True
    )

    def names(text: str) -> set[str]:
        return set(re.findall(r"--[a-z-]+\b(?:\[?=[A-Z]+\]?)?", text))

    rows = re.findall(r"^\| (`-.*?) \|", README, re.MULTILINE)
    listed = re.findall(r"^  (-\S.*?)  ", done.stdout, re.MULTILINE)
    assert names("\n".join(rows)) == names("\n".join(listed))


@pytest.mark.parametrize("block", PYTHON)
def test_the_code_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Process([sys.executable, "-c", block]) as python:
        assert python.wait() == 0, python.output


def test_the_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert "docs/images/report.png" in links
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (ROOT / link).exists()] == []


def test_the_picture_is_on_the_first_screen_and_small() -> None:
    assert README[: README.index("docs/images/report.png")].count("\n") < 15
    picture = ROOT / "docs/images/report.png"
    assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert picture.stat().st_size < 200_000


@pytest.mark.browser
def test_the_picture_can_be_made_anew(tool: Callable[[str], str], tmp_path: Path) -> None:
    tool("chromium")
    made = tmp_path / "made.png"
    with Process([sys.executable, ROOT / "tools/picture", "-o", made]) as picture:
        assert picture.wait() == 0, picture.output
    assert made.read_bytes()[16:24] == (ROOT / "docs/images/report.png").read_bytes()[16:24]


def accepted(command: str) -> None:
    """Fail unless the verb's parser, or the launcher's, takes the words of `pyusdt ...`."""
    for name, value in STANDS_FOR.items():
        command = command.replace(name, value)
    _, first, *rest = shlex.split(command)
    if first not in VERBS:
        options.read([first, *rest])
        return
    parser = argparse.ArgumentParser(exit_on_error=False)
    import_module(f"pyusdt.commands.{VERBS[first][0]}").declare(parser)
    if "--" in rest:
        rest = rest[: rest.index("--")]
    if "--help" in rest:
        return
    # A verb that the text only names has no arguments, or lacks some.
    arguments = parser.parse_intermixed_args(rest) if rest else None
    if first == "trace" and arguments and arguments.tool not in (None, "FILE.bt"):
        find(arguments.tool)


def one_liner(command: str) -> None:
    """Fail unless the probes of bpftrace's program exist, and have the arguments that it reads."""
    program = shlex.split(command)[-1]
    arguments = {probe.name: len(probe.arguments) for probe in table()}
    probes = re.findall(r"usdt:\$LIBRARY:pyusdt:(\w+)([^{]*\{[^}]*\})", program)
    assert probes, program
    for name, body in probes:
        assert max(map(int, re.findall(r"\barg(\d)", body))) < arguments[name]
