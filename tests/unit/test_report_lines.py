# SPDX-License-Identifier: Apache-2.0
"""Reports of lines: which functions, which text, and what stands in each format."""

import argparse
import csv
import io
import json
from dataclasses import replace

import pytest
from recordings import LINED_SOURCE, lined, snapshot

from pyusdt import report
from pyusdt.commands import report as command
from pyusdt.errors import UsageError, UserError
from pyusdt.recording import Recording
from pyusdt.recording.lines import Source
from pyusdt.report import Options
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


def test_what_has_no_name_is_a_part_of_its_line():
    data = lined()
    names = [f._replace(name="<genexpr>", line=9) if f.id == 2 else f for f in data.functions]
    rows = [row for row in data.lines if (row.function, row.line) not in ((2, 7), (2, 8), (2, 10))]
    recording = Recording.from_snapshot(replace(data, functions=names, lines=rows))
    assert [f.numbers for f in lined_functions(recording)] == [[9], [1, 2, 3]]


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


@pytest.fixture
def written(tmp_path, monkeypatch):
    """written(recording, format, **options): the text of the report."""
    monkeypatch.setenv("COLUMNS", "100")

    def write(recording, name, **options):
        path = tmp_path / "out"
        report.write(recording, str(path), report.FORMATS[name], Options(**options))
        return path.read_bytes().decode()

    return write


def test_only_hot_regions_are_shown(written):
    text = "".join(f"    x = {n}\n" for n in range(40))
    data = lined()
    data = replace(data, sources={"/srv/lined.py": Source.of(LINED_SOURCE + text)})
    rows = [row._replace(line=row.line + 20 * (row.line == 10)) for row in data.lines]
    recording = Recording.from_snapshot(replace(data, lines=rows))

    def numbers(**options):
        text = written(recording, "table", lines="work", **options)
        return [line.split()[0] for line in text.partition("  Source\n")[2].splitlines()]

    shown = numbers()
    assert shown == ["6", "7", "8", "9", "10", "11", "...", "28", "29", "30", "31", "32"]
    assert numbers(full=True) == [str(n) for n in range(6, 51)]
    rows = [row._replace(line=14) if row.line == 30 else row for row in rows]
    recording = Recording.from_snapshot(replace(data, lines=rows))
    assert numbers() == [str(n) for n in range(6, 17)], "no gap stands for one line"


def test_what_no_look_has_met_takes_no_room(written):
    data = lined(charges=True)
    calm = replace(data, charges=[row for row in data.charges if row.kind == "user"])
    heading, columns = (
        written(Recording.from_snapshot(calm), "table", lines="work").splitlines()[i]
        for i in (6, 7)
    )
    assert heading.endswith("total 110 ms, cpu ~80 ms")
    assert columns.split()[-3:] == ["CPU", "Errors", "Source"]


def test_colours_are_those_of_python(monkeypatch, capfdbinary, sample):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def shown():
        report.write(sample, "-", report.FORMATS["table"], Options(lines="work"))
        return capfdbinary.readouterr().out.decode()

    assert "\x1b[94;49mdef\x1b[0m" in shown()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown()
    assert "def work(item):" in shown()


def test_line_profilers_layout(sample, written):
    """Compared with what line_profiler 5.1 prints."""
    assert written(sample, "lprof-text", lines="work").splitlines() == [
        "Timer unit: 1e-06 s",
        "",
        "Total time: 0.11 s",
        "File: /srv/lined.py",
        "Function: work at line 6",
        "",
        "Line #      Hits         Time  Per Hit   % Time  Line Contents",
        "==============================================================",
        "     6                                           def work(item):",
        "     7         4       6000.0   1500.0      5.5      if item < 0:",
        "     8         1      14000.0  14000.0     12.7          raise ValueError(item)",
        "     9         3      80000.0  26666.7     72.7      total = sum(range(item))",
        "    10         3      10000.0   3333.3      9.1      return total",
        "",
    ]
    data = replace(lined(), sources={})
    text = written(Recording.from_snapshot(data), "lprof-text", lines="work")
    assert "Could not find its text" in text
    assert "     9         3      80000.0  26666.7     72.7  \n" in text


def test_json_and_csv_have_a_row_for_each_line(sample, written):
    document = json.loads(written(sample, "json"))
    (line,) = (it for it in document["lines"] if it["line"] == 9)
    assert line == {
        "file": "/srv/lined.py", "line": 9, "function": 1, "hits": 3, "errors": 0,
        "total_ns": 80_000_000, "self_ns": 80_000_000, "cpu_ns": 70_000_000,
        "waits": {"gil": 10_000_000}, "samples": {"cpu": 70, "user": 70, "gil": 1},
    }  # fmt: skip
    assert len(json.loads(written(sample, "json", lines="main"))["lines"]) == 2
    assert {it["function"] for it in json.loads(written(sample, "json", top=1))["lines"]} == {1}
    assert "lines" not in json.loads(written(Recording.from_snapshot(snapshot()), "json"))
    rows = list(csv.DictReader(io.StringIO(written(sample, "csv", lines="work"))))
    assert [row["source"] for row in rows][1:3] == [
        "raise ValueError(item)", "total = sum(range(item))",
    ]  # fmt: skip
    assert (rows[2]["line"], rows[2]["hits"], rows[2]["cpu_ns"]) == ("9", "3", "70000000")


def test_sampled_times_are_not_those_of_lines(written):
    data = replace(lined(charges=True), times="sampled")
    data = replace(data, lines=[row._replace(total_ns=0, self_ns=0) for row in data.lines])
    recording = Recording.from_snapshot(data)
    assert "total_ns" not in json.loads(written(recording, "json"))["lines"][0]
    (line,) = (it for it in written(recording, "table", lines="").splitlines() if "sum(" in it)
    assert line.split()[:4] == ["9", "3", "~80%", "~70"]
    text = written(recording, "lprof-text", lines="work").splitlines()
    assert text[2] == "Total time: not measured (--times sampled)"
    assert text[11].split() == ["9", "3", "total", "=", "sum(range(item))"]


def test_a_path_is_as_it_is_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recording = Recording.from_snapshot(lined(file=str(tmp_path / "lined.py")))
    for wanted in ("./lined.py", "../" * 9 + str(tmp_path) + "/x/../lined.py"):
        assert len(lined_functions(recording, wanted)) == 2
    with pytest.raises(UserError):
        lined_functions(recording, "../lined.py")


def test_nothing_is_printed_before_an_error(sample, capfdbinary):
    for name in ("table", "csv", "json", "lprof-text"):
        with pytest.raises(UserError):
            report.write(sample, "-", report.FORMATS[name], Options(lines="none"))
    assert capfdbinary.readouterr().out == b""


def test_an_empty_answer_says_why(written):
    old = Recording.from_snapshot(snapshot())
    for name, options in (("table", {"lines": ""}), ("csv", {"lines": "x"}), ("lprof-text", {})):
        with pytest.raises(UserError, match=r"no lines recorded, or left by filters; .*--lines"):
            written(old, name, **options)


def test_the_header_says_that_lines_were_recorded(sample, written):
    assert "lines of 2 functions were recorded (--lines)\n" in written(sample, "table")
    without = sample.only(lambda record: record.name == "main")
    assert "lines of 1 function were recorded (--lines)\n" in written(without, "table")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--full"], "--full goes with --lines"),
        (
            ["--lines", "-f", "html"],
            "--lines goes with table, csv, json, lprof-text, not with html",
        ),
        (["--lines", "--tree"], "one table at a time: --tree or --lines"),
        (["--lines", "-o", "x.pyusdt"], "copied whole: leave out --lines"),
    ],
)
def test_what_does_not_go_together(words, message):
    parser = argparse.ArgumentParser()
    command.declare(parser)
    with pytest.raises(UsageError, match=message):
        command.run(parser.parse_args(["none.pyusdt", *words]))
