# SPDX-License-Identifier: Apache-2.0
"""What all scripts of the collection have in common: headers, and the rules of old versions."""

from __future__ import annotations

import re

import pytest
from harness import ROOT

from pyusdt.tracing.scripts import Script, collection

pytestmark = pytest.mark.once

SCRIPTS = collection()
each_script = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)


def test_the_readme_lists_every_script_by_its_question() -> None:
    readme = (ROOT / "scripts/README.md").read_text()
    listed = re.findall(r"^\| (.+\?) \| \[`(.+)`\]\((\w+)\.bt\) \|$", readme, re.MULTILINE)
    told = [
        (script.question, f"{script.name} {script.parameters}".strip(), script.name)
        for script in SCRIPTS
    ]
    assert sorted(listed) == sorted(told)
    for script in SCRIPTS:
        assert f"`{script.name}`" in (ROOT / "README.md").read_text()


@each_script
def test_the_header_tells_how_to_run_and_read_it(script: Script) -> None:
    header = script.source.partition("*/")[0]
    assert f"\n * {script.name}.bt - " in header
    given = "".join(f"{word} " for word in script.given).replace("PID", "[PID]")
    parameters = f"{script.parameters} ".lstrip()
    assert f"\n * Usage: pyusdt trace {script.name} {parameters}[-p PID | -- program...]" in header
    usage = f"\n *        bpftrace scripts/{script.name}.bt LIBRARY {given}{parameters}"
    assert usage.rstrip() + ("\n" if "PID" in script.given else " [-p PID]\n") in header
    assert f"\n *     # pyusdt trace {script.name} " in header
    assert "\n * Cost: " in header
    for name in re.findall(r"\[(\w+)\]", script.parameters):
        assert re.search(rf"\n \*     {name} +\S", header), f"{name} is not explained"


@each_script
def test_the_end_clears_every_map(script: Script) -> None:
    body, _, end = script.code.partition("\nEND\n")
    assert set(re.findall(r"clear\((@\w*)\)", end)) == set(re.findall(r"@\w*", body))


@each_script
def test_nothing_is_used_that_old_versions_lack(script: Script) -> None:
    assert not re.search(r"\barg([6-9]|\d\d)\b", script.code), "0.17 on x86-64 knows arg0 to arg5"
    for argument in re.findall(r"\bstr\(([^()]*)\)", script.code):
        text, _, length = argument.partition(", ")
        assert text.startswith("$") or length, f"str({argument}): the default length differs"
        assert not length.isdecimal() or int(length) <= 64, f"str({argument}) is cut at 64"
