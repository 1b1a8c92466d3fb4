# SPDX-License-Identifier: Apache-2.0
"""@pytest.mark.pyusdt, in projects of their own."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]

MAKES = """\
import sys, threading, time
import pytest
kept = []

def make(size):
    return bytearray(size)  # here

"""
Result = pytest.RunResult


@pytest.fixture
def run(pytester: pytest.Pytester) -> Callable[..., Result]:
    """Runs pytest with the plugin, in a process of its own, on a file with that code."""

    def run(code: str, *options: str) -> Result:
        pytester.makepyfile(MAKES + code)
        common = "-p", "pyusdt_pytest", "--strict-markers", "-W", "error"
        return pytester.runpytest_subprocess(*common, *options)

    return run


def rows(result: Result, head: str) -> list[list[str]]:
    """The rows of the only table with that head, in words."""
    lines = [line.split() for line in result.outlines]
    (first,) = [i for i, words in enumerate(lines) if words[: len(head.split())] == head.split()]
    table = lines[first + 1 :]
    return table[: next(i for i, words in enumerate(table) if not words or words[0][:1] in "_=")]


def test_memory_within_the_limit(run: Callable[..., Result]) -> None:
    code = """
@pytest.mark.pyusdt(max_memory="31 MB")
def test_it():
    for _ in range(10):
        make(30_000_000)
"""
    run(code).assert_outcomes(passed=1)


def test_memory_beyond_the_limit(run: Callable[..., Result]) -> None:
    code = """
@pytest.mark.pyusdt(max_memory="24 MB")
def test_it():
    first = make(20_000_000)
    second = make(10_000_000)
    del first
    make(15_000_000)
"""
    result = run(code)
    result.assert_outcomes(failed=1)
    (headline,) = [line for line in result.outlines if line.startswith("pyusdt:")]
    found = re.fullmatch(r"pyusdt: (\S+) bytes alive at the peak, max_memory='24 MB'", headline)
    assert found and int(found[1].replace(",", "")) - 30_000_000 in range(500_000)
    biggest, *_ = rows(result, "alive at the peak")
    assert biggest[:2] == ["30.0", "MB"]
    assert biggest[3] == "make"
    line = 1 + MAKES.splitlines().index("    return bytearray(size)  # here")
    assert biggest[4] == f"test_memory_beyond_the_limit.py:{line}"


def test_threads_and_native_memory_count(run: Callable[..., Result]) -> None:
    code = """
import mmap

@pytest.mark.pyusdt(max_memory="5 MB")
def test_mapping():
    mmap.mmap(-1, 10_000_000).close()

@pytest.mark.pyusdt(max_memory="5 MB")
def test_thread():
    thread = threading.Thread(target=make, args=(10_000_000,))
    thread.start()
    thread.join()
"""
    run(code).assert_outcomes(failed=2)


def test_what_is_made_by_fixtures_does_not_count(run: Callable[..., Result]) -> None:
    code = """
@pytest.fixture
def large():
    yield make(50_000_000)
    make(50_000_000)

@pytest.mark.pyusdt(max_memory="2 MB", no_leaks=True)
@pytest.mark.parametrize("size", [1000, 1_000_000, 3_000_000])
def test_it(large, size):
    make(size)
"""
    result = run(code)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["FAILED *::test_it[[]3000000]*"])


def test_time_beyond_the_limit(run: Callable[..., Result]) -> None:
    code = """
def waits():
    time.sleep(0.05)

@pytest.mark.pyusdt(max_time="20 ms")
def test_long():
    waits()

@pytest.mark.pyusdt(max_time=600)
def test_short():
    waits()
"""
    result = run(code)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.re_match_lines([r"pyusdt: \d[\d.]* m?s, max_time='20 ms'"])
    (row,) = [row for row in rows(result, "own time") if row[3:4] == ["waits"]]
    assert row[2] == "1"


LEAKS = """
def leak(n):
    for _ in range(n):
        kept.append(bytes(1000))  # kept

class Ring:
    def __init__(self):
        self.me, self.held = self, make(1_000_000)

@pytest.mark.pyusdt(no_leaks=True)
def test_leaks():
    leak(100)

@pytest.mark.pyusdt(no_leaks="200 kB")
def test_may():
    leak(100)

@pytest.mark.pyusdt(no_leaks="50 kB")
def test_may_not():
    leak(100)

@pytest.mark.pyusdt(no_leaks=True)
def test_circles():
    [Ring() for _ in range(10)]

@pytest.mark.pyusdt(no_leaks=True)
def test_nothing(tmp_path, capsys, monkeypatch, caplog):
    import re, logging
    (tmp_path / "file").write_text("x" * 100_000)
    assert re.sub("(a|b)+", "-", (tmp_path / "file").read_text() + "ab").endswith("-")
    logging.getLogger("some").warning("text")
    print("x" * 10_000)
"""


def test_leaks(run: Callable[..., Result]) -> None:
    result = run(LEAKS, "-k", "not may_not")
    result.assert_outcomes(passed=3, failed=1, deselected=1)
    biggest, *_ = rows(result, "alive afterwards")
    assert biggest[1] == "kB" and biggest[3] == "leak"
    line = 1 + (MAKES + LEAKS).splitlines().index("        kept.append(bytes(1000))  # kept")
    assert biggest[4] == f"test_leaks.py:{line}"


def test_leaks_beyond_what_is_allowed(run: Callable[..., Result]) -> None:
    result = run(LEAKS, "-k", "may_not")
    result.assert_outcomes(failed=1, deselected=4)
    result.stdout.re_match_lines([r"pyusdt: 1\d\d,\d\d\d bytes alive afterwards, no_leaks='50 kB'"])


def test_several_limits_at_once(run: Callable[..., Result]) -> None:
    code = """
@pytest.mark.pyusdt(max_memory=1, max_time="1 ns", no_leaks="1 B")
def test_it():
    kept.append(make(100_000))
"""
    result = run(code)
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(["pyusdt: .* at the peak, .*; .*max_time=.*; .* afterwards, .*"])
    assert [rows(result, head) for head in ("alive at the peak", "own time", "alive afterwards")]


def test_classes_and_modules(run: Callable[..., Result]) -> None:
    code = """
import unittest
pytestmark = pytest.mark.pyusdt(max_memory="1 MB")

class TestMany:
    def test_small(self):
        make(1000)

    def test_large(self):
        make(2_000_000)

    @pytest.mark.pyusdt(max_memory="3 MB")
    def test_allowed(self):
        make(2_000_000)

    @pytest.mark.pyusdt(max_memory=None)
    def test_free(self):
        make(20_000_000)

class Case(unittest.TestCase):
    def test_unit(self):
        make(2_000_000)
"""
    result = run(code)
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(["FAILED *::test_large *", "FAILED *::test_unit *"])


def test_other_outcomes_are_the_tests_own(run: Callable[..., Result]) -> None:
    code = """
pytestmark = pytest.mark.pyusdt(max_memory=1, max_time="1 ns", no_leaks="1 B")

def test_fails():
    assert make(3) == 4

def test_skips():
    pytest.skip("for a reason")

@pytest.mark.xfail(strict=True)
def test_is_known():
    make(1000)
"""
    result = run(code)
    result.assert_outcomes(failed=1, skipped=1, xfailed=1)
    assert not [line for line in result.outlines if line.startswith("pyusdt:")]


@pytest.mark.parametrize(
    ("marker", "line"),
    [
        ("(max_memory='24 apples')", "in the marker, max_memory is a number of bytes, or a size *"),
        ("(max_time='2')", "in the marker, max_time is a number of seconds, or like *, not '2'"),
        ("(no_leaks=3)", "in the marker, no_leaks is a bool, or the size that is allowed*"),
        ("(no_leak=True)", "in the marker, there is no argument no_leak; did you mean 'no_leaks'*"),
        ("(max_memory='\\x1b\\n')", "in the marker, max_memory is *, not '\\x1b\\n'"),
        ("", "the marker takes max_memory=, max_time= and no_leaks=, by name"),
        ("('24 MB')", "the marker takes max_memory=, max_time= and no_leaks=, by name"),
    ],
)
def test_markers_that_cannot_be_understood(
    marker: str, line: str, run: Callable[..., Result]
) -> None:
    """One line, and nothing of the test has run."""
    result = run(f"""
@pytest.fixture
def ran():
    print("it ran")

@pytest.mark.pyusdt{marker}
def test_it(ran):
    pass
""")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"pyusdt: {line}"])
    result.stdout.no_fnmatch_line("*it ran*")
    result.stdout.no_fnmatch_line("*Traceback*")


def test_nothing_is_imported_without_a_marker(run: Callable[..., Result]) -> None:
    code = """
def test_it():
    assert not [name for name in sys.modules if name.startswith("pyusdt.") or name == "pyusdt"]
    assert "sqlite3" not in sys.modules
"""
    run(code).assert_outcomes(passed=1)


def test_the_marker_is_known_and_explained(run: Callable[..., Result]) -> None:
    result = run("", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.pyusdt(max_memory=None, *): *"])


def test_no_peak_of_another_recorder(run: Callable[..., Result]) -> None:
    code = """
import pyusdt

@pytest.fixture
def recorded():
    with pyusdt.record(memory=True):
        make(100_000_000)
        yield

@pytest.mark.pyusdt(max_memory="50 MB", no_leaks=True)
def test_it(recorded):
    make(1000)
"""
    result = run(code, "-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*pyusdt: max_memory is not judged: another recorder *"])
