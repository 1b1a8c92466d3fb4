# SPDX-License-Identifier: Apache-2.0
"""What the tests need from the machine. Each is tried once, for real; in CI none may be missing."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from harness import LIBRARY, Tracer
from hypothesis import settings

# A busy machine is no fault of what is tested: nothing here is timed.
settings.register_profile("pyusdt", deadline=None)
settings.load_profile("pyusdt")

# A suite that was started in the background would have its programs ignore these.
for _number, _usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)

# readline, which pytest imports, puts it where children find it and os.environ does not.
if "COLUMNS" not in os.environ:
    os.unsetenv("COLUMNS")

SECOND_WORLD = Path("/etc/world-recipe").exists()  # see tools/world
CI = os.environ.get("CI", "") not in ("", "0", "false")


# Which part tools/test asks for: "apart", the tests with that marker; "together", those without it;
# neither: all. A variable and not `-m`, which a second `-m` would replace.
PART = os.environ.get("PYUSDT_TEST_PART", "")


def pytest_configure(config: pytest.Config) -> None:
    """What runs beside the rest is not to be slowed by its tracers of all processes."""
    if PART == "apart":
        from pyusdt.libpyusdt import stop

        stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the other part, and what this world cannot run."""

    def wanted(item: pytest.Item) -> bool:
        apart = item.get_closest_marker("apart") is not None
        foreign = not SECOND_WORLD and item.get_closest_marker("second_world") is not None
        return not foreign and PART in ("", "apart" if apart else "together")

    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = [item for item in items if wanted(item)]


@pytest.fixture(autouse=True)
def _no_recorder_is_left() -> Iterator[None]:
    """A recorder that goes on would change the bounds of those of the tests that follow."""
    yield
    from pyusdt import running

    left, running.recorders[:] = [*running.recorders], []
    assert left == []


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A part may be empty."""
    if PART and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


def missing(what: str) -> NoReturn:
    """Skip with the reason; in CI, where everything is installed, fail."""
    if CI:
        pytest.fail(f"in CI there must be no skip, but: {what}")
    pytest.skip(what)


@functools.cache
def _why_no_tracing() -> str | None:
    if shutil.which("bpftrace") is None:
        return "bpftrace is not installed"
    if os.geteuid() != 0:
        return "bpftrace needs root"
    try:
        with Tracer('BEGIN { printf("begun\\n"); }') as tracer:
            tracer.finish()
    except AssertionError as error:
        return f"bpftrace does not work here: {error}"
    return None


@pytest.fixture(scope="session")
def bpftrace() -> None:
    """A bpftrace that works here."""
    if reason := _why_no_tracing():
        missing(reason)


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """tool("clang"): the path of a program that the test cannot do without."""

    def find(name: str) -> str:
        return shutil.which(name) or missing(f"{name} is not installed")

    return find


@pytest.fixture(scope="session")
def library() -> Path:
    """The one binary under test."""
    assert LIBRARY.exists(), "build it first: make"
    return LIBRARY


def pytest_report_header() -> list[str]:
    def first_line(*argv: str) -> str:
        try:
            return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return f"no {argv[0]}"

    return [f"tracer: {first_line('bpftrace', '--version')}", f"library: {LIBRARY.name}"]
