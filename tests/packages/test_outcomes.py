# SPDX-License-Identifier: Apache-2.0
"""Tests of other packages end alike, one by one, without pyusdt and with it in three ways.

A test that ends otherwise in a second run without pyusdt is not counted.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from harness import INSIDE, ROOT, inside

from . import environments
from .environments import Environment
from .packages import PACKAGES

SITE = ROOT / "tests" / "cpython" / "site"
LIMIT_SECONDS = 600
CHOSEN = os.environ.get("PYUSDT_TEST_PACKAGES", "")
MODES = ("imported", "recorded", "traced")

pytestmark = [pytest.mark.packages, pytest.mark.timeout(5 * LIMIT_SECONDS)]

Outcomes = Counter[tuple[str, str]]
"""Tests and how they ended; several tests may have one name."""


def chosen() -> list[str]:
    """Names, "all" or "quick"."""
    if CHOSEN == "quick":
        return [package.name for package in PACKAGES.values() if package.quick]
    return list(PACKAGES) if CHOSEN in ("", "all") else CHOSEN.split()


class Results:
    """A table of packages and modes, which the terminal shows at the end."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, str]] = {}

    def add(self, package: str, mode: str, text: str) -> None:
        self.rows.setdefault(package, {})[mode] = text

    def lines(self) -> Iterator[str]:
        yield f"{'package':24}" + "".join(f"{mode:>22}" for mode in ("plain", *MODES))
        for package, row in self.rows.items():
            yield f"{package:24}" + "".join(
                f"{row.get(mode, 'did not end'):>22}" for mode in ("plain", *MODES)
            )


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> Iterator[Results]:
    found = Results()
    yield found
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("", *found.lines(), sep="\n")


def run(environment: Environment, mode: str, directory: Path) -> Outcomes:
    """How each test ended; that any passed is asserted."""
    directory.mkdir()
    report = directory / "report.xml"
    environ = {"HOME": str(directory), "TMPDIR": str(directory), "PYTHONHASHSEED": "0"}
    environ |= environment.variables
    words = [str(environment.python)]
    if mode == "imported":
        environ["PYUSDT"] = "1"
    elif mode == "recorded":
        words += ["-m", "pyusdt", "-o", str(directory / "out.pyusdt")]
    elif mode == "traced":
        environ |= {"PYTHONPATH": f"{INSIDE}{os.pathsep}{SITE}", "PYUSDT_TEST_WATCHED": "inside"}
        environ["PYUSDT_TEST_SEMAPHORES"] = inside()["PYUSDT_TEST_SEMAPHORES"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PY")}
    log = directory / "log"
    with log.open("w") as output:
        ended = subprocess.run(
            [*words, *environment.argv(report)],
            env=kept | environ,
            cwd=environment.tests_in,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    said = log.read_text(errors="backslashreplace")[-3000:]
    assert report.exists(), f"{mode}: ended with {ended.returncode}:\n{said}"
    if mode == "recorded":
        assert (directory / "out.pyusdt").exists(), said
    outcomes = outcomes_of(report)
    assert any(kind == "passed" for _, kind in outcomes), f"{mode}: none passed:\n{said}"
    return outcomes


def outcomes_of(report: Path) -> Outcomes:
    return Counter(
        (f"{case.get('classname')}::{case.get('name')}", outcome(case))
        for case in ElementTree.parse(report).iter("testcase")
    )


def outcome(case: ElementTree.Element) -> str:
    kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    return " and ".join(kinds) or "passed"


def summary(outcomes: Outcomes) -> str:
    kinds: Counter[str] = Counter()
    for (_, kind), count in outcomes.items():
        kinds[kind] += count
    rest = "".join(f", {n} {kind}" for kind, n in kinds.items() if kind != "passed")
    return f"{kinds['passed']} passed{rest.replace('skipped', 'sk.').replace('failure', 'f.')}"


def names(*differences: Outcomes) -> set[str]:
    return {test for outcomes in differences for test, _ in outcomes}


@pytest.mark.parametrize("name", chosen())
def test_tests_of_a_package(name: str, results: Results, tmp_path: Path) -> None:
    environment = environments.of(PACKAGES[name])
    plain = run(environment, "plain", tmp_path / "plain")
    results.add(name, "plain", summary(plain))
    differences = {}
    for mode in MODES:
        found = run(environment, mode, tmp_path / mode)
        results.add(name, mode, summary(found))
        if names(plain - found, found - plain):
            differences[mode] = found
    if not differences:
        return
    again = run(environment, "plain", tmp_path / "again")
    unsteady = names(plain - again, again - plain)
    counted = [
        f"{mode}: {test}: {kind}, and not so without pyusdt"
        for mode, found in differences.items()
        for test, kind in sorted(found - plain) + sorted((t, "not " + k) for t, k in plain - found)
        if test not in unsteady
    ]
    assert not counted, "\n".join(counted)
