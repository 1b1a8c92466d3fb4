# SPDX-License-Identifier: Apache-2.0
"""The man pages: made from the parsers as they are now, and right for groff and man."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from harness import ROOT

from docs import commands, man

pytestmark = [pytest.mark.once, pytest.mark.apart]

PAGES = sorted((ROOT / "man").glob("*.1"))
# What groff and man show depends on no Python: one machine that has them is enough.
rendered = pytest.mark.browser
each = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def test_they_are_fresh() -> None:
    assert {page.name: page.read_text() for page in PAGES} == man.pages(), "run `make man`"


@rendered
@each
def test_groff_has_no_warning(tool, page: Path) -> None:
    command = [tool("groff"), "-ww", "-man", "-Tutf8", str(page)]
    done = subprocess.run(command, text=True, capture_output=True, check=True)
    assert done.stderr == ""


@rendered
@each
def test_man_shows_them(tool, page: Path) -> None:
    done = subprocess.run(
        [tool("man"), "--warnings", "-l", str(page)],
        env=os.environ | {"MANWIDTH": "200", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""},
        text=True,
        capture_output=True,
        check=True,
    )
    assert done.stderr == ""
    text = done.stdout
    verb = page.stem.removeprefix("pyusdt-")
    command = commands.launcher() if page.stem == "pyusdt" else commands.verb(verb)
    words = " ".join(text.split())
    for entry in (*command.arguments, *command.options):
        assert " ".join(f"{entry.term} {entry.text}".split()) in words


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        ("-p PID", "\\-p PID"),
        ("a\\b", "a\\eb"),
        (".TH", "\\&.TH"),
        ("'x'", "\\(aqx\\(aq"),
        ("`x`", "\\(gax\\(ga"),
    ],
)
def test_text_stays_as_it_is(text: str, roff: str) -> None:
    assert man.line_of(text) == roff
