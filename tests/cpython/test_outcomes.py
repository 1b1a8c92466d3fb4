# SPDX-License-Identifier: Apache-2.0
"""CPython's own tests end in the same way, one by one, with all probes watched and without pyusdt.

Each suite runs twice at the same time, by `python -m test`, whose report tells of every test. Every
Python that is started meanwhile has pyusdt in it, unless it is started with -S or -E.
"""

from __future__ import annotations

import functools
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cpython import suites
from harness import Tracer, inside, maps, probe

HERE = Path(__file__).parent
# Not the virtual environment's: some tests mind.
PYTHON = getattr(sys, "_base_executable", sys.executable)
LIMIT_SECONDS = 270
LONG = os.environ.get("LONG", "") not in ("", "0")
MORE = LONG or "PYUSDT_TEST_SUITES" in os.environ  # make test-cpython

pytestmark = [pytest.mark.timeout(LIMIT_SECONDS + 30), pytest.mark.thorough, pytest.mark.cpython]


class Run:
    """A suite that runs. `watched` is "no", "inside" (its semaphores are up), "by memory" (that is
    recorded) or "by a tracer"."""

    def __init__(self, suite: str, watched: str, directory: Path, times: int = 5) -> None:
        self.again = functools.partial(Run, suite, watched, directory / "again", times - 1)
        self.may_crash = times > 1 and suites.may_crash(suite)
        self.report = directory / "report.xml"
        self.log = directory / "log"
        directory.mkdir()
        # A home of its own: some tests write there, and the other run does at the same time.
        environment = inside(PYUSDT_TEST_WATCHED=watched, HOME=str(directory))
        environment["PYTHONPATH"] += os.pathsep + str(HERE / "site")
        beside = ["--testdir", str(HERE / "beside")] if suite.endswith("_beside") else []
        with self.log.open("w") as log:
            self.child = subprocess.Popen(
                [PYTHON, "-m", "test", "--junit-xml", str(self.report), *beside, suite],
                env=environment,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def outcomes(self) -> dict[str, str]:
        """How each test ended, when all have."""
        try:
            self.child.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not end:\n{self.tail()}") from None
        if self.child.returncode == -signal.SIGSEGV and self.may_crash:
            return self.again().outcomes()
        if not self.report.exists():
            raise AssertionError(f"ended with {self.child.returncode}:\n{self.tail()}")
        cases = ElementTree.parse(self.report).iter("testcase")
        return {name: outcome(case) for case in cases if (name := case.get("name"))}

    def tail(self) -> str:
        return self.log.read_text(errors="backslashreplace")[-3000:]

    def kill(self) -> None:
        """And whoever it started."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, 9)
            self.child.wait()


def outcome(case: ElementTree.Element) -> str:
    for kind in ("failure", "error", "skipped"):
        if (why := case.find(kind)) is not None:
            return f"{kind}: {(why.text or why.get('message') or '').strip()[-500:]}"
    return "passed" if case.get("result") != "skipped" else "skipped"


def kind(outcome: str | None) -> str:
    return (outcome or "was not run").partition(":")[0]


@functools.cache
def lacks(suite: str) -> bool:
    """Whether this Python's test package has no such suite; some come without the package."""
    if suite.endswith("_beside"):
        suite = suite.removesuffix("_beside")
    found = f"import importlib.util as u; raise SystemExit(not u.find_spec('test.{suite}'))"
    environment = {**os.environ, "PYTHONPATH": ""}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.call([PYTHON, "-c", found], env=environment, **silent) != 0


def compare(suite: str, watched: str, directory: Path) -> None:
    """Both runs of a suite, and every difference that is not accounted for."""
    if lacks(suite):
        pytest.skip(f"Python {platform.python_version()} here has no test.{suite}")
    runs = [Run(suite, how, directory / how.replace(" ", "-")) for how in ("no", watched)]
    try:
        without, with_ = (run.outcomes() for run in runs)
    finally:
        for run in runs:
            run.kill()
    assert without, f"no test was run:\n{runs[0].tail()}"
    differences = [
        f"{test}: {kind(without.get(test))} without, {kind(with_.get(test))} with pyusdt\n"
        f"    {with_.get(test, without.get(test))}"
        for test in sorted(without.keys() | with_.keys())
        if kind(without.get(test)) != kind(with_.get(test)) and not suites.may_differ(test)
    ]
    assert not differences, "\n".join(differences)


def in_short(names: list[str], short: list[str]) -> list[object]:
    """Parameters for a test: those that are not short are skipped where more is not asked for."""
    more = pytest.mark.skipif(not MORE, reason="LONG=1, or make test-cpython, runs it")
    return [pytest.param(name, marks=[] if name in short else more) for name in names]


@pytest.mark.parametrize("suite", in_short(suites.WATCHED, suites.SHORT))
def test_watched_from_inside(suite: str, tmp_path: Path) -> None:
    compare(suite, "inside", tmp_path)


@pytest.mark.parametrize("suite", in_short(suites.MEMORY, suites.MEMORY[:1]))
def test_while_memory_is_recorded(suite: str, tmp_path: Path) -> None:
    compare(suite, "by memory", tmp_path)


@pytest.mark.skipif(not LONG, reason="LONG=1 runs it")
@pytest.mark.parametrize("suite", suites.LONG)
def test_watched_from_inside_at_length(suite: str, tmp_path: Path) -> None:
    compare(suite, "inside", tmp_path)


@pytest.fixture(scope="module")
def tracer(bpftrace: None, library: Path) -> Iterator[None]:
    """Watches every probe in every process; the cheapest action there is."""
    with Tracer(f"{probe('*')} {{ @ = count(); }}") as tracer:
        yield
        assert maps(tracer.finish())[""] > 10_000


@pytest.mark.usefixtures("tracer")
@pytest.mark.parametrize("suite", in_short(suites.TRACED, suites.SHORT[:2]))
def test_traced(suite: str, tmp_path: Path) -> None:
    compare(suite, "by a tracer", tmp_path)


@pytest.mark.parametrize("watched", ["inside", "by a tracer"])
def test_it_is_watched(watched: str, request: pytest.FixtureRequest) -> None:
    """In such a Python, and in the children that it starts."""
    if watched == "by a tracer":
        request.getfixturevalue("tracer")
    environment = inside(PYUSDT_TEST_WATCHED=watched)
    environment["PYTHONPATH"] += os.pathsep + str(HERE / "site")
    # Where site imports pyusdt, 3.14 cannot tell yet whether its JIT will be on: events wait.
    look = "import os, semaphores\nwhile len(semaphores.events()) <= 10: os.sched_yield()"
    program = f"{look}\nimport subprocess; subprocess.check_call([{PYTHON!r}, '-c', {look!r}])"
    subprocess.run([PYTHON, "-c", program], env=environment, check=True)


def test_memory_is_recorded() -> None:
    """In such a Python, and in the children that it starts."""
    environment = inside(PYUSDT_TEST_WATCHED="by memory")
    environment["PYTHONPATH"] += os.pathsep + str(HERE / "site")
    look = "from pyusdt import libpyusdt as core\nassert core.allocated()[0] > 0"
    program = f"{look}\nimport subprocess; subprocess.check_call([{PYTHON!r}, '-c', {look!r}])"
    subprocess.run([PYTHON, "-c", program], env=environment, check=True)
