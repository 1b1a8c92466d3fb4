# SPDX-License-Identifier: Apache-2.0
"""Reports of lines: which functions, which text, and what stands in each format."""

from dataclasses import replace

import pytest
from recordings import LINED_SOURCE, lined

from pyusdt.errors import UserError
from pyusdt.recording import Recording
from pyusdt.report.lines import lined_functions

pytestmark = pytest.mark.apart


@pytest.fixture
def sample():
    return Recording.from_snapshot(lined(charges=True))


@pytest.fixture
def here(tmp_path):
    """here(text, recorded): of a file that has that text now, the functions, by name."""
    file = tmp_path / "lined.py"

    def make(text, *, recorded=True):
        if text is not None:
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        data = lined(file=str(file))
        data = data if recorded else replace(data, sources={})
        found = lined_functions(Recording.from_snapshot(data))
        return {f.record.name: f for f in found}

    return make


@pytest.mark.parametrize(
    "wanted", ["", "lined", "lined:*", "/srv/lined.py", "srv/lined.py", "lined.py", "*"]
)
def test_the_hottest_function_is_first(sample, wanted):
    found = lined_functions(sample, wanted)
    assert [f.record.name for f in found] == ["work", "main"]
    work, main = found
    assert (work.block, main.block) == (range(6, 11), range(1, 4))
    assert [(it.line, it.hits, it.errors, it.self_ns // 1_000_000) for it in work.lines] == [
        (7, 4, 0, 6), (8, 1, 1, 14), (9, 3, 0, 80), (10, 3, 0, 10),
    ]  # fmt: skip
    assert (work.total_ns, work.cpu_ns) == (110_000_000, 80_000_000)


@pytest.mark.parametrize("wanted", ["work", "lined:work", "w*k", "l*:w*"])
def test_a_function_is_chosen_by_its_name(sample, wanted):
    assert [f.record.name for f in lined_functions(sample, wanted)] == ["work"]


def test_what_has_no_lines_is_refused(sample):
    with pytest.raises(UserError, match=r"no lines of lined:wrk: .* has any; nearest: lined:work"):
        lined_functions(sample, "lined:wrk")
    with pytest.raises(UserError, match=r"no lines of ined.py: no such function or file has any"):
        lined_functions(sample, "ined.py")


def test_which_text_is_shown(here):
    work = here(None)["work"]
    assert (work.state, work.text(9)) == ("recorded", "    total = sum(range(item))")
    assert here(None, recorded=False)["work"].state == "missing"
    assert here(LINED_SOURCE)["work"].state == "recorded"
    assert here(LINED_SOURCE.replace("\n", "\r\n"))["work"].state == "recorded"
    work = here(LINED_SOURCE.replace("sum", "max"))["work"]
    assert (work.state, work.text(9)) == ("changed", "    total = sum(range(item))")
    work = here(LINED_SOURCE.replace("sum", "max"), recorded=False)["work"]
    assert (work.state, work.text(9)) == ("now", "    total = max(range(item))")


def test_a_text_is_read_as_python_reads_it(here):
    latin = "# coding: latin-1\n# \xe4\x0c\x85\n".encode("latin-1")
    work = here(latin, recorded=False)["work"]
    assert work.source == ["# coding: latin-1", "# \xe4\x0c\x85"]
    for encoding in ("none", "rot13", "idna", "hex", "utf-8"):
        work = here(f"# coding: {encoding}\n#".encode() + b"\xff..\n", recorded=False)["work"]
        assert len(work.source) == 2, encoding


def test_lines_beyond_the_text_are_kept(here):
    work = here("x = 1\n", recorded=False)["work"]
    assert (work.block, work.text(9), work.text(0)) == (range(7, 11), "", "")
    assert len(work.lines) == 4


@pytest.mark.parametrize("text", ["(" * 5000, "\0\n" * 9, "x" * 99_999, "'''\n" * 99, "\\\n" * 9])
def test_what_is_no_python_has_lines_too(here, text):
    work = here("\n" * 5 + text, recorded=False)["work"]
    assert [it.line for it in work.lines] == [7, 8, 9, 10]
    assert 1 <= len(work.block) <= 10
