# SPDX-License-Identifier: Apache-2.0
"""Of the tests of large packages every function has as many calls as cProfile counts.

cProfile of 3.12 and newer counts in all threads of its process. What depends on time, on addresses
or on the collector differs between runs of cProfile too, and is left out.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT
from pages import values_of

import pyusdt
from pyusdt.recording import Recording
from pyusdt.recording.tree import walk
from pyusdt.report import prepare
from pyusdt.report.html import write
from pyusdt.report.options import Options

from . import environments
from .environments import Environment
from .packages import PACKAGES

LIMIT_SECONDS = 600
COUNTED = Path(__file__).with_name("counted.py")
CHOSEN = os.environ.get("PYUSDT_TEST_PACKAGES", "all")
# Names that tempfile makes, and pydantic's tests.
TEMPORARY = re.compile(r"(?<=/)tmp[a-z0-9_]{8}(?=[/.])|(?<=_)[0-9a-f]{10}(?=\.py$)")

pytestmark = [pytest.mark.packages, pytest.mark.timeout(5 * LIMIT_SECONDS)]

Key = tuple[str, int, str]


def chosen() -> list[str]:
    if CHOSEN == "quick":
        return []
    names = list(PACKAGES) if CHOSEN == "all" else CHOSEN.split()
    return [name for name in names if PACKAGES[name].exact]


def count(environment: Environment, kind: str, directory: Path) -> tuple[int, Path]:
    """The process's id, and its output."""
    output = directory / f"{kind}.out"
    # The same names everywhere: paths are cut, joined and compared, which is counted.
    report = directory / "report.xml"
    arguments = [*environment.argv(report)[2:], f"--basetemp={directory / 'base'}"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PY")}
    environ = {"HOME": str(directory), "TMPDIR": str(directory), "PYTHONHASHSEED": "0"}
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [environment.python, COUNTED, kind, output, "-p", "no:cacheprovider", *arguments],
            env=kept | environ | environment.variables,
            cwd=environment.tests_in,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        process.wait(LIMIT_SECONDS)
    assert output.exists(), (directory / "log").read_text(errors="backslashreplace")[-3000:]
    return process.pid, output


def of_cprofile(environment: Environment, directory: Path, kind: str = "cprofile") -> Counter[Key]:
    _, output = count(environment, kind, directory)
    counts: Counter[Key] = Counter()
    for file, line, name, calls in json.loads(output.read_text()):
        counts[TEMPORARY.sub("tmp", file), line, name] += calls
    return counts


def of_recorder(recording: Recording, pid: int) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    for f in recording.select(lambda process: process.pid == pid, lambda _: True).functions:
        # cProfile counts a generator's every resume as a call.
        file = TEMPORARY.sub("tmp", f.record.file)
        counts[file, f.record.line, f.record.name] += f.calls + f.resumes
    return +counts


def differences(a: Counter[Key], b: Counter[Key]) -> set[Key]:
    return {key for key in a.keys() | b.keys() if a[key] != b[key]}


@pytest.mark.parametrize("name", chosen())
def test_calls_are_those_of_cprofile(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = environments.of(PACKAGES[name])
    of_cprofile(environment, tmp_path)  # the first run writes what later ones find: caches
    wanted = of_cprofile(environment, tmp_path)
    unsteady = differences(wanted, of_cprofile(environment, tmp_path))
    unsteady |= differences(wanted, of_cprofile(environment, tmp_path, "elsewhere"))
    pid, output = count(environment, "recorder", tmp_path)
    recording = pyusdt.load(output)
    found = of_recorder(recording, pid)
    own = str(COUNTED), f"{environment.site_packages / 'pyusdt'}/", f"{ROOT / 'pyusdt'}/"
    wrong = {
        key: (wanted[key], found[key])
        for key in differences(wanted, found) - unsteady
        if not key[0].startswith(own)
    }
    with capsys.disabled():
        print(
            f"\n{name}: {len(wanted)} functions, {sum(wanted.values())} calls;"
            f" {len(unsteady)} differ without pyusdt; losses {recording.losses}"
        )
    check_reports(recording)
    assert not wrong, "\n".join(f"{key}: cProfile {a}, pyusdt {b}" for key, (a, b) in wrong.items())


def check_reports(recording: Recording) -> None:
    """The table, the tree and the page have the same whole, and the same functions."""
    table = prepare.shown(recording, trees=False)
    whole = sum(f.self_ns for f in table.functions)
    shown = prepare.shown(recording)
    tree = sum(child.elapsed_ns for t in shown.threads for child in t.root.children)
    assert tree == pytest.approx(whole, rel=1e-3)
    own: Counter[int] = Counter()
    for thread in shown.threads:
        for node, _ in walk(thread.root):
            own[node.function] += node.self_ns
    assert sum(own.values()) == pytest.approx(whole, rel=1e-3)
    data = page(shown)
    columns = data["totals"]
    figures: dict[int, list[int]] = {}
    for function, *values in zip(
        *(values_of(columns[name]) for name in ("function", "calls", "self", "total")), strict=True
    ):
        before = figures.get(function, [0, 0, 0])
        figures[function] = [a + b for a, b in zip(before, values, strict=True)]
    for f in table.functions:
        calls, self_ns, total_ns = figures[f.index]
        assert calls == f.calls, f.record
        assert self_ns == pytest.approx(f.self_ns, rel=1e-3, abs=1000), f.record
        assert total_ns == pytest.approx(f.total_ns, rel=1e-3, abs=1000), f.record
    nodes = data["nodes"]
    assert sum(values_of(nodes["self"])) == pytest.approx(whole, rel=1e-3)


def page(shown: Recording) -> dict[str, Any]:
    """The data of the HTML page."""
    out = io.BytesIO()
    write(shown, out, Options())
    begin = '<script type="application/json" id="data">'
    data: dict[str, Any] = json.loads(
        out.getvalue().decode().partition(begin)[2].partition("</script>")[0]
    )
    return data
