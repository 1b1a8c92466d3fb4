# SPDX-License-Identifier: Apache-2.0
"""Comparing lines: which are the same, what changed of them, and what is said of the others."""

import argparse
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from harness import environment
from hypothesis import given
from hypothesis import strategies as st
from recordings import MS, hostile, lined, snapshot, snapshot_of, with_lines

from pyusdt.commands import compare as command
from pyusdt.compare import compare, regressions
from pyusdt.compare_lines import compare_lines, judged
from pyusdt.errors import UserError
from pyusdt.recording import CodeRecord, Recording, write
from pyusdt.recording.lines import LineFigures
from pyusdt.same_lines import SameLines

pytestmark = pytest.mark.apart

SOURCE = """\
def work(n):
    total = 0
    for i in range(n):
        total += i
    log(total)
    return total
"""
# Lines above, a changed one, one that is gone, and one that is indented otherwise.
EDITED = """\
import sys


def work(n):
    if n:
        total = 0
    for i in range(n):
        total += i * i
    return total
"""
NAMES = {"total = 0": 5, "for i": 40, "total +=": 100, "log(": 20, "return": 1, "if n": 2}


def run_of(text=SOURCE, factor=1, *, file="/srv/app.py", source=True, times="exact", cpu=0, **ms):
    """A run of `work` in that text, whose lines took what NAMES says, in ms, times `factor`, or by
    `ms`; the loop and its body have ten hits, and the others one. With `cpu`, so much of each ms is
    CPU time by looks at each."""
    numbered = [*enumerate(text.splitlines(), 1)]
    first = next(n for n, line in numbered if line.startswith("def work"))
    own = {
        n: int(ms.get(name.split()[0], took) * factor)
        for n, line in numbered
        for name, took in NAMES.items()
        if line.strip().startswith(name)
    }
    hits = {n: 10 if "for" in text or "+=" in text else 1 for n, text in numbered}
    whole = sum(own.values()) * MS
    known = times == "exact"
    data = snapshot_of(
        [(1, "t", whole)],
        [(1, "app", "work", "work", file, first)],
        [(0, 0, -1, 1, 1, 0, 0, whole, whole)],
        lines=[(0, 1, n, hits[n], 0, it * MS * known, it * MS * known) for n, it in own.items()],
        charges=[(0, 0, 1, "user", 0, it, it * MS, n) for n, it in own.items()] if cpu else None,
        sources={file: text} if source else None,
        times=times,
    )
    return Recording.from_snapshot(data)


def compared(before, after, wanted=""):
    (it,) = compare_lines(compare(before, after), before, after, wanted)
    return it


def numbers(it):
    return [line.numbers for line in it.lines]


def test_lines_are_matched_by_their_text_wherever_they_are():
    it = compared([run_of()], [run_of(EDITED, 2)])
    assert numbers(it) == [(2, 6), (3, 7), (6, 9)]
    total, head, last = it.lines
    assert (total.own.before, total.own.after) == ((5 * MS,), (10 * MS,))
    assert (head.own.delta, head.hits.delta) == (40 * MS, 0)
    assert last.text == "    return total"
    # What is not the same: `total += i` and `log(total)`, then `if n` and `total += i * i`.
    assert it.n_rest == (2, 2)
    assert (it.rest.own.before, it.rest.own.after) == ((120 * MS,), (204 * MS,))


def test_the_same_text_is_compared_by_number():
    it = compared([run_of()], [run_of(file="/elsewhere/app.py")], "app.py")
    assert numbers(it) == [(n, n) for n in range(2, 7)]
    assert it.n_rest == (0, 0)
    assert it.changed == []
    it = compared([run_of()], [run_of(**{"for": 80})])
    assert [(line.numbers, line.own.ratio) for line in it.changed] == [((3, 3), 1.0)]


def test_a_function_that_runs_all_the_time_is_compared():
    runs = run_of(), run_of(EDITED)
    for run in runs:
        run.threads[0].root.children[0].calls = 0
    it = compared(runs[:1], runs[1:])
    assert it.function.calls.before == it.function.calls.after == (0,)
    assert (it.function.state, numbers(it)) == ("", [(2, 6), (3, 7), (6, 9)])


def test_a_line_that_only_one_side_ran_is_compared():
    never = [row for row in run_of().lines if row[2] != 5]
    before = replace(run_of(), lines={key: run_of().lines[key] for key in never})
    line = next(it for it in compared([before], [run_of()]).changed)
    assert (line.numbers, line.hits.before, line.hits.after) == ((5, 5), (0,), (1,))


def test_lines_have_the_verdicts_of_functions():
    before, after = [run_of()] * 2, [run_of(), run_of(**{"for": 80})]
    line = compared(before, after).changed[0]
    assert line.own.verdict == 0
    after = [run_of(**{"for": ms}) for ms in (80, 81)]
    comparison = compare(before, after)
    lines = compare_lines(comparison, before, after)
    assert [(it.numbers, it.own.verdict) for it in lines[0].changed] == [((3, 3), 1)]
    found = regressions(comparison, 0.5, lines=judged(lines))
    assert [it[:2] for it in found] == [("app:work, line 3", "self")]
    assert regressions(comparison, 2, lines=judged(lines)) == []


def test_cpu_time_is_judged_where_all_know_it():
    it = compared([run_of(cpu=1)], [run_of(cpu=1, **{"for": 80})])
    (line,) = it.changed
    assert (line.own.delta, line.own.looks, line.cpu_ns) == (40 * MS, (40, 80), line.own)
    it = compared([run_of(cpu=1)], [run_of(**{"for": 80})])
    assert (it.changed[0].cpu_ns, it.changed[0].own.looks) == (None, None)


def test_times_that_one_side_does_not_know_are_not_compared():
    it = compared([run_of(times="sampled", cpu=1)], [run_of(EDITED)])
    assert [(line.numbers, line.own) for line in it.lines][1] == ((3, 7), None)
    assert it.rest.own is None


def test_properties_of_one_name_are_compared_together():
    text = "def v(self):\n    return 1\n\n\ndef v(self, v):\n    self._v = 1\n"

    def make(text, *lines):
        first, second = (n for n, line in enumerate(text.splitlines(), 1) if "def" in line)
        data = snapshot_of(
            [(1, "t", MS)],
            [(1, "app", "C.v", "v", "/a.py", first), (2, "app", "C.v", "v", "/a.py", second)],
            [(0, 0, -1, 1, 1, 0, 0, MS, MS), (0, 1, -1, 2, 1, 0, 0, MS, MS)],
            lines=[(0, 1, lines[0], 1, 0, MS, MS), (0, 2, lines[1], 1, 0, MS, MS)],
            sources={"/a.py": text},
        )
        return Recording.from_snapshot(data)

    it = compared([make(text, 2, 6)], [make("\n\n" + text.replace("1\n\n", "2\n\n"), 4, 8)])
    assert numbers(it) == [(6, 8)]
    assert it.n_rest == (1, 1)


def test_what_exec_has_made_hides_no_function():
    def with_made(run):
        made = CodeRecord("app", "work", "work", "<string>", 1)
        lines = {**run.lines, (0, 1, 1): LineFigures(5, 0, 5 * MS, 5 * MS)}
        return replace(run, records=[*run.records, made], lines=lines)

    it = compared([with_made(run_of())], [with_made(run_of(EDITED))])
    assert numbers(it) == [(2, 6), (3, 7), (6, 9)]


def same_lines(before, after):
    return SameLines().pairs(before, after)


@given(st.lists(st.sampled_from("abcx")), st.lists(st.sampled_from("abcy")))
def test_pairs_are_the_same_and_in_order(before, after):
    pairs = same_lines(before, after)
    assert all(before[a] == after[b] for a, b in pairs)
    for side in zip(*pairs, strict=True):
        assert list(side) == sorted({*side})
    assert same_lines(before, before) == [(i, i) for i in range(len(before))]


def test_large_texts_are_compared_at_their_ends():
    many = [f"x = {n}" for n in range(1_001)]
    assert same_lines(["a", *many, "z"], ["a", *reversed(many), "y", "z"]) == [(0, 0), (1002, 1003)]
    same = SameLines()
    texts = [f"x = {n}" for n in range(900)], [f"x = {n - 1}" for n in range(900)]
    found = [len(same.pairs(*texts)) for _ in range(60)]
    assert (found[0], found[-1]) == (899, 0), "all texts together have a limit"
    common = [word for n in range(500) for word in ("}", f"u{n}")]
    assert len(same_lines(common, [word.replace("u", "v") for word in common])) == 1


@pytest.fixture
def shown(tmp_path, monkeypatch, capfdbinary):
    """shown(before, after, *words): what the verb prints of snapshots or recordings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")

    def run(before, after, *words, lines="--lines"):
        write("a.pyusdt", before)
        write("b.pyusdt", after)
        parser = argparse.ArgumentParser()
        command.declare(parser)
        assert command.run(parser.parse_args(["a.pyusdt", "b.pyusdt", lines, *words])) == 0
        out = capfdbinary.readouterr().out.decode()
        return [re.sub(r"  +", "|", line.strip()) for line in out.splitlines()]

    return run


def slower(data, line):
    rows = [
        row._replace(self_ns=2 * row.self_ns, hits=row.hits + 1) if row.line == line else row
        for row in data.lines
    ]
    return replace(data, lines=rows)


def test_the_table(shown):
    lines = shown(lined(), slower(lined(), 9))
    assert lines[0] == "lined:work|lined.py:6|self 110 ms → 110 ms|+0.0%"
    assert lines[2:] == [
        "9|+80.0 ms|80.0 ms|160 ms|+100.0%|+50.0%|3 → 4|total = sum(range(item))",
        "one run a side: lines are not judged; for that, A1 A2 A3 --to B1 B2 B3",
    ]
    assert shown(lined(), lined())[0] == "no line changed"


def test_of_a_program_that_was_edited_between_its_runs(tmp_path, monkeypatch, capfdbinary):
    program = tmp_path / "program.py"
    calls = "log = list\nwork(10)\n"
    for name, text in (
        ("a", SOURCE.replace("log(total)", "log()") + calls),
        ("b", EDITED + calls.replace("10", "30")),
    ):
        program.write_text(text)
        argv = [sys.executable, "-m", "pyusdt", "-o", f"{name}.pyusdt", "--lines", "__main__:work"]
        subprocess.run([*argv, program], cwd=tmp_path, env=environment(), check=True, timeout=60)
    capfdbinary.readouterr()
    monkeypatch.chdir(tmp_path)
    parser = argparse.ArgumentParser()
    command.declare(parser)
    assert command.run(parser.parse_args(["a.pyusdt", "b.pyusdt", "--lines=work"])) == 0
    out = capfdbinary.readouterr().out.decode()
    assert re.search(r"^3 → 7 .* 11 → 31 +for i in range\(n\):$", out, re.MULTILINE)
    assert re.search(r" 11 → 31 +2 → 2 other lines$", out, re.MULTILINE)


def test_what_an_empty_answer_says(shown):
    def why(before, after, **named):
        with pytest.raises(UserError) as error:
            shown(before, after, **named)
        return str(error.value)

    bare = replace(lined(), lines=[])
    assert why(lined(), bare).startswith("b.pyusdt: no lines recorded, or left by filters; python")
    assert why(lined(), lined(), lines="--lines=wrok") == (
        "compare: no lines of wrok: no such function or file has any; nearest: work"
    )
    no_text = replace(lined(), sources={})
    assert why(no_text, lined()) == (
        "compare: no line is in all recordings: a.pyusdt has no text of it:"
        " --no-source, record -p, or a killed process"
    )
    other = replace(lined(), functions=[f._replace(module="other") for f in lined().functions])
    assert why(lined(), other) == "compare: no line is in all recordings: gone; new"


def test_hits_alone_are_compared_where_times_are_not_known(shown):
    rows = [row._replace(total_ns=0, self_ns=0, hits=row.hits + 1) for row in lined().lines]
    lines = shown(lined(), replace(lined(), lines=rows, times="sampled"))
    assert lines[1:3] == ["line|hits|source", "2|4 → 5|for item in range(3):"]
    assert any("(--times sampled): hits alone are compared" in line for line in lines)


def test_what_is_not_compared_is_named(shown):
    fewer = replace(lined(), lines=[row for row in lined().lines if row.function == 2])
    assert "not compared: lined:main (b.pyusdt has no lines of it)" in shown(lined(), fewer)


def test_a_text_is_harmless(shown):
    def with_text(sign):
        text = "\n" * 5 + f"def work(\x1b[2J):\n  {sign}\x1b]0;x\x07\n" + "  \u202e[bold]日本\n" * 3
        return replace(
            lined(), sources={"/srv/lined.py": lined().sources["/srv/lined.py"].of(text)}
        )

    text = shown(with_text("1"), slower(with_text("2"), 9))
    assert any(line.endswith("\\u202e[bold]日本") for line in text)
    assert any("1 → 1 other lines" in line for line in text)
    names = with_lines(hostile())
    changed = replace(names, lines=[row._replace(hits=9) for row in names.lines])
    text = "".join(shown(names, changed, "--top", "99"))
    assert not {c for c in text if not c.isprintable()}


def test_a_recording_goes_before_the_option():
    parser = argparse.ArgumentParser(exit_on_error=False)
    command.declare(parser)
    with pytest.raises(argparse.ArgumentError, match=r"a\.pyusdt is a recording: it goes before"):
        parser.parse_args(["--lines", "a.pyusdt", "b.pyusdt"])


def test_functions_alone_are_compared_as_before(shown):
    assert "all functions" in shown(snapshot(), snapshot(2), lines="--top=3")[1]
