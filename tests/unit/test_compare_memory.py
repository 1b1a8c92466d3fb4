# SPDX-License-Identifier: Apache-2.0
"""Comparing memory: changes, verdicts of exact figures and of estimates, exit codes."""

import argparse
import re
from dataclasses import replace

import pytest
from memory_recordings import KEPT, LEAK, LIST, NATIVE, TEXT, THREAD, WORK, WORKER, held
from recordings import snapshot

from pyusdt.commands import compare as command
from pyusdt.compare_memory import compare_memory, memory_regressions
from pyusdt.errors import UserError
from pyusdt.recording import Recording, write
from pyusdt.recording.memory import total

pytestmark = pytest.mark.apart

ALL = total([KEPT, TEXT, LEAK, LIST, NATIVE, THREAD, WORKER])


def leaking(more=0, **options):
    """A run in which work() has allocated so many bytes more, of a block that it keeps."""
    data = held(**options)
    rows = [
        row._replace(
            figures=row.figures._replace(
                allocated_bytes=row.figures.allocated_bytes + more,
                allocated_blocks=row.figures.allocated_blocks + bool(more),
                peak_bytes=row.figures.peak_bytes + more,
            )
        )
        if (row.function, row.line) == (WORK, 9)
        else row
        for row in data.memory
    ]
    return replace(data, memory=rows)


def recording(*args, **options):
    return Recording.from_snapshot(leaking(*args, **options))


def named(comparison):
    return {it.name: it for it in comparison.functions}


def test_functions_and_the_whole_are_compared():
    found = compare_memory([recording()], [recording(1000)])
    assert not found.sampled
    assert found.judged
    whole = found.whole.figures
    assert (whole["peak"].before, whole["peak"].delta) == ((ALL.peak_bytes,), 1000)
    assert whole["allocated"].after == (ALL.allocated_bytes + 1000,)
    assert whole["live"].delta == 1000
    assert whole["blocks"].delta == 1
    work = named(found)["app:work"]
    assert work.figures["peak"].before == (TEXT.peak_bytes + LEAK.peak_bytes,)
    assert work.figures["peak"].verdict == 1
    assert named(found)["app:main"].figures["peak"].verdict == 0
    assert {"(native)", "(outside of functions)"} <= named(found).keys()


def test_one_exact_run_a_side_is_judged():
    more = compare_memory([recording()], [recording(500_000)])
    grown = memory_regressions(more, 0.1)
    assert [(name, figure) for name, figure, _ in grown] == [
        ("all functions", "memory at peak"),
        ("app:work", "memory at peak"),
        ("all functions", "memory allocated"),
        ("app:work", "memory allocated"),
    ]
    assert memory_regressions(more, 0.2) == []
    less = compare_memory([recording(500_000)], [recording()])
    assert memory_regressions(less, 0.0) == []
    assert less.whole.figures["peak"].verdict == -1


def test_what_is_little_of_the_whole_does_not_fail():
    found = compare_memory([recording()], [recording(30_000)])
    assert [name for name, *_ in memory_regressions(found, 0.0)] == ["all functions"] * 2


def test_runs_that_differ_show_what_is_noise():
    before = [recording(n) for n in (0, 90_000, 10_000)]
    after = [recording(n) for n in (60_000, 0, 110_000)]
    found = compare_memory(before, after)
    assert found.whole.figures["peak"].verdict == 0
    assert memory_regressions(found, 0.0) == []
    far = compare_memory(before, [recording(n + 9_000_000) for n in (0, 90_000, 10_000)])
    assert far.whole.figures["peak"].verdict == 1


def test_estimates_are_never_judged_exact():
    found = compare_memory([recording(kinds="sampled")], [recording(2_000_000, kinds="sampled")])
    assert found.sampled
    assert not found.judged
    whole = found.whole.figures["peak"]
    assert whole.looks == (7, 11)  # samples of 512 KiB
    assert whole.verdict is None
    assert memory_regressions(found, 0.1) == []
    assert memory_regressions(found, 0.1, force=True) == []  # it may be by chance
    some = {"scale": 1000, "kinds": "sampled"}
    far = compare_memory([recording(**some)], [recording(4 * 10**9, **some)])
    assert memory_regressions(far, 0.1) == []
    assert memory_regressions(far, 0.1, force=True)
    assert named(far)["app:work"].state == ""


def test_new_and_gone():
    without = held()
    without = replace(without, memory=[row for row in without.memory if row.function != 1])
    found = compare_memory([recording()], [Recording.from_snapshot(without)])
    assert named(found)["app:main"].state == "gone"
    found = compare_memory([Recording.from_snapshot(without)], [recording()])
    assert named(found)["app:main"].state == "new"
    assert named(found)["app:work"].state == ""


def test_what_cannot_be_compared_says_why():
    with pytest.raises(UserError, match="memory was not recorded"):
        compare_memory([recording()], [Recording.from_snapshot(snapshot())])
    text = "not the same memory was recorded: --memory of all and sampled"
    with pytest.raises(UserError, match=text):
        compare_memory([recording()], [recording(kinds="sampled")])


@pytest.fixture
def compared(tmp_path, monkeypatch, capfdbinary):
    """compared(words, **files): exit code and the lines, cells parted by |."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(words, **files):
        for name, data in files.items():
            write(tmp_path / name, data)
        parser = argparse.ArgumentParser()
        command.declare(parser)
        code = command.run(parser.parse_args(words.split()))
        out = capfdbinary.readouterr().out.decode()
        return code, [re.sub(r"  +", "|", line.strip()) for line in out.splitlines()]

    return run


def test_the_table_and_the_exit_code(compared):
    files = {"a": leaking(), "b": leaking(500_000)}
    assert compared("a b --memory --fail-above 10%", **files) == (
        1,
        [
            "at peak|before|after|noise|allocated|live|blocks|function",
            "+500 kB|4.12 MB|4.62 MB|+12.1%|+500 kB|+500 kB|+0.7%|more|all functions",
            "+500 kB|4.05 MB|4.55 MB|+12.3%|+500 kB|+500 kB|+0.8%|more|work|app",
            "grew by +12.1%: memory at peak of all functions",
            "grew by +12.3%: memory at peak of app:work",
            "grew by +11.9%: memory allocated of all functions",
            "grew by +12.1%: memory allocated of app:work",
        ],
    )
    assert compared("a b --memory --fail-above 20%")[0] == 0
    assert compared("b a --memory --fail-above 0%")[0] == 0
    assert compared("a b --memory --fail-above 0% --only app:main")[0] == 1  # what work() has
    assert compared("a a --memory --fail-above 0%")[0] == 0


def test_times_and_memory_are_judged_together(compared):
    files = {"a": leaking(), "b": leaking(500_000)}
    code, lines = compared("a b --fail-above 10%", **files)
    assert code == 1
    assert (
        "memory at peak 4.12 MB → 4.62 MB (+12.1%), allocated 4.19 MB → 4.69 MB (+11.9%),"
        " live 180 kB → 680 kB (+277.5%); by function: --memory"
    ) in lines
    assert "grew by +12.1%: memory at peak of all functions" in lines
    note = "one run a side: times of functions are not judged; --force judges them"
    assert any(line.startswith(note) for line in lines)
    assert compared("a a --fail-above 10%")[0] == 0


def test_recordings_without_memory_are_compared_as_before(compared):
    _, lines = compared("a b", a=leaking(), b=snapshot())
    assert not any("memory" in line for line in lines)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("a a --memory --lines", "one table at a time: --memory or --lines"),
        ("a a --memory --sort cpu", "--sort cpu: with --memory there are peak, allocated"),
        ("a a --sort live", "--sort live goes with --memory"),
    ],
)
def test_what_does_not_go_together(compared, words, says):
    with pytest.raises(UserError, match=says) as e:
        compared(words, a=leaking())
    assert e.value.code == 2
