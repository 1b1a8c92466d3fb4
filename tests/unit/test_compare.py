# SPDX-License-Identifier: Apache-2.0
"""Comparing recordings: changes, noise, verdicts, exit codes."""

import argparse
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import MS, hostile, snapshot, snapshot_of

from pyusdt.commands import compare as command
from pyusdt.compare import Change, compare, regressions
from pyusdt.errors import UserError
from pyusdt.recording import Recording, Snapshot, write

pytestmark = pytest.mark.apart


def recording(**own_ms):
    """A run in which each function took so much time of its own, in ms."""
    functions = [(i, "app", name, name, f"/at/{id(own_ms)}.py", i) for i, name in enumerate(own_ms)]
    nodes = [
        (0, i, -1, i, 10, 0, 0, int(ms * MS), int(ms * MS)) for i, ms in enumerate(own_ms.values())
    ]
    return Recording.from_snapshot(snapshot_of([(1, "t", MS)], functions, nodes))


def steps(*series_ms):
    """A run of one step, so long each time."""
    rows = [("load", "step", i, i, int(ms * MS), None) for i, ms in enumerate(series_ms)]
    return Recording.from_snapshot(snapshot_of(steps=rows))


def changes(comparison):
    return {f.qualname: f for f in comparison.functions}


def test_functions_are_matched_by_name_wherever_they_lie():
    found = changes(compare([recording(a=10, b=5, old=1)], [recording(a=20, b=5, fresh=2)]))
    assert found["a"].self_ns.ratio == 1.0
    assert found["b"].self_ns.delta == 0
    assert (found["old"].state, found["fresh"].state, found["a"].state) == ("gone", "new", "")
    assert found["fresh"].self_ns.ratio is None


def test_functions_of_one_name_are_taken_together():
    functions = [(i, "app", "<lambda>", "<lambda>", "/a.py", i) for i in (1, 2)]
    nodes = [(0, i, -1, i, 1, 0, 0, MS, MS) for i in (1, 2)]
    twice = Recording.from_snapshot(snapshot_of([(1, "t", MS)], functions, nodes))
    assert changes(compare([twice], [twice]))["<lambda>"].self_ns.before == (2 * MS,)


def test_one_run_a_side_is_not_judged():
    change = changes(compare([recording(a=10)], [recording(a=20)]))["a"].self_ns
    assert (change.noise, change.verdict) == (None, None)
    assert change.grew(0.5)


def test_a_change_within_the_noise_has_no_verdict():
    before = [recording(a=ms) for ms in (10, 12, 11)]
    after = [recording(a=ms) for ms in (11, 13, 12)]
    change = changes(compare(before, after))["a"].self_ns
    assert change.delta == pytest.approx(1 * MS)
    assert change.verdict == 0
    assert not change.grew(0.01)


def test_a_change_beyond_the_noise_has_one():
    before = [recording(a=ms) for ms in (10, 10.1, 10.2)]
    after = [recording(a=ms) for ms in (13, 13.1, 13.2)]
    assert changes(compare(before, after))["a"].self_ns.verdict == 1
    assert changes(compare(after, before))["a"].self_ns.verdict == -1


def test_the_noise_is_that_of_welch():
    # By hand: variances 5/3 and 25/4, so a standard error of 1.407 and 4.49 degrees of freedom.
    change = Change((10.0, 12.0, 11.0, 13.0), (14.0, 11.0, 15.0, 17.0))
    assert change.noise == pytest.approx(4.60 * 1.407, rel=0.001)
    assert Change((1.0, 1.0), (1.0, 1.0)).noise == 0.0


@given(st.lists(st.floats(0, 1e12), min_size=2, max_size=9))
def test_a_side_never_differs_from_itself(values):
    assert Change(tuple(values), tuple(values)).verdict == 0


def test_steps_of_one_run_are_judged_by_their_iterations():
    same = compare([steps(10, 11, 12, 10)], [steps(11, 12, 10, 11)]).steps[0]
    slow = compare([steps(10, 11, 12, 10)], [steps(20, 21, 22, 20)]).steps[0]
    assert (same.mean.verdict, slow.mean.verdict) == (0, 1)


def test_steps_of_several_runs_are_judged_by_their_means():
    before = [steps(10, 30), steps(12, 28)]
    assert compare(before, before).steps[0].mean.before == (20 * MS, 20 * MS)


def test_regressions_leave_out_what_does_not_matter():
    before = [recording(big=1000, small=0.1, calm=100)] * 2
    after = [recording(big=1200, small=5, calm=101, fresh=50)] * 2
    found = regressions(compare(before, after), 0.10)
    assert [(name, figure) for name, figure, _ in found] == [
        ("all functions", "self"), ("app:big", "self"), ("app:big", "total"),
    ]  # fmt: skip


def charged(cpu=100, wait=100, *, wall=None, sampled=True):
    """A run whose function `a` had so many ms of each, one look a ms."""
    wall = wall or cpu + wait
    data = snapshot_of(
        [(1, "t", MS)],
        [(1, "app", "a", "a", "/a.py", 1)],
        [(0, 0, -1, 1, 10, 0, 0, wall * MS, wall * MS)],
        charges=[
            (0, 0, 1, "user", 0, cpu, cpu * MS),
            (0, 0, 1, "lock", 0, wait, wait * MS),
        ]
        if sampled
        else None,
    )
    return Recording.from_snapshot(data)


def test_cpu_time_is_judged_where_all_know_it_and_waits_are_not():
    idles = compare([charged()] * 2, [charged(wait=900)] * 2)
    assert idles.by_cpu
    assert (idles.whole.delta, idles.waits.delta) == (0, 800 * MS)
    assert regressions(idles, 0.1) == []
    works = compare([charged()] * 2, [charged(cpu=200)] * 2)
    assert [it[:2] for it in regressions(works, 0.1)] == [
        ("all functions", "cpu"), ("app:a", "cpu"), ("app:a", "total cpu"),
    ]  # fmt: skip


def test_one_side_without_cpu_time_is_compared_by_wall_time():
    found = compare([charged(sampled=False, wall=500)] * 2, [charged(cpu=400, wall=501)] * 2)
    assert not found.by_cpu
    assert changes(found)["a"].own.delta == 1 * MS
    assert regressions(found, 0.1) == []


def test_what_few_looks_show_is_no_growth():
    few = compare([charged(cpu=4)], [charged(cpu=6)])
    many = compare([charged(cpu=400)], [charged(cpu=600)])
    assert changes(few)["a"].own.ratio == changes(many)["a"].own.ratio == 0.5
    assert not changes(few)["a"].own.grew(0.1)
    assert changes(many)["a"].own.grew(0.1)
    assert changes(few)["a"].own.per(changes(few)["a"].calls).looks == (4, 6)


def test_sorting_by_what_not_all_know(files):
    with pytest.raises(UserError) as e:
        run(files[1], files[2], "--sort", "cpu")
    assert str(e.value) == (
        "compare: --sort cpu: not all know CPU and waits; there are self, total, calls"
    )


@pytest.fixture
def files(tmp_path):
    """Recordings by scale; the second is twice as slow as the first."""
    paths = {}
    for scale in (1, 2):
        paths[scale] = str(tmp_path / f"{scale}.pyusdt")
        write(paths[scale], snapshot(scale))
    return paths


def run(*words):
    parser = argparse.ArgumentParser()
    command.declare(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


def shown(capfdbinary):
    out = capfdbinary.readouterr().out.decode()
    return [re.sub(r"  +", "|", line.strip()) for line in out.splitlines()]


def test_the_table(files, capfdbinary):
    assert run(files[1], files[2]) == 0
    lines = shown(capfdbinary)
    assert lines[1] == "+150 ms|150 ms|300 ms|+100.0%|all functions"
    assert lines[2] == "+55.0 ms|55.0 ms|110 ms|+100.0%|+100.0%|+55.0 ms|20|read|app.io"
    assert lines[-1].startswith("one run a side: functions are not judged")
    assert any(line.startswith("+30.0 ms|30.0 ms|60.0 ms|+100.0%|±") for line in lines)


def test_several_runs_a_side(files, capfdbinary):
    assert run(files[1], files[1], "--to", files[2], files[2]) == 0
    lines = shown(capfdbinary)
    assert lines[1] == "+150 ms|150 ms|300 ms|+100.0%|± 0 ns|more|all functions"
    assert lines[2] == "+55.0 ms|55.0 ms|110 ms|+100.0%|± 0 ns|+100.0%|+55.0 ms|20|more|read|app.io"


def test_fail_above(files, capfdbinary):
    assert run(files[1], files[1], "--to", files[2], files[2], "--fail-above", "10%") == 1
    assert "grew by +100.0%: self of all functions" in shown(capfdbinary)
    assert run(files[1], files[1], "--to", files[2], files[2], "--fail-above", "101") == 0
    assert run(files[2], files[2], "--to", files[1], files[1], "--fail-above", "0%") == 0


def test_one_run_a_side_fails_by_force_alone(files, capfdbinary):
    assert run(files[1], files[2], "--fail-above", "10%") == 0
    assert shown(capfdbinary)[-1].startswith(
        "one run a side: functions are not judged, and nothing"
    )
    assert run(files[1], files[1], "--to", files[2], "--fail-above", "10%") == 0
    assert run(files[1], files[2], "--fail-above", "10%", "--force") == 1
    assert "grew by +100.0%: self of all functions" in shown(capfdbinary)
    assert run(files[1], files[2], "--fail-above", "101", "--force") == 0
    assert run(files[1], files[1], "--fail-above", "0%", "--force") == 0
    with pytest.raises(UserError, match="--force goes with --fail-above"):
        run(files[1], files[2], "--force")


def test_large_recordings(files, monkeypatch):
    monkeypatch.setattr("pyusdt.recording.reader._FEW_NODES", 0)
    monkeypatch.setattr("pyusdt.compare.waiting", lambda recording: {0})
    assert run(files[1], files[1], "--to", files[2], files[2], "--fail-above", "10%") == 1


def test_only(files, capfdbinary):
    assert run(files[1], files[2], "--only", "app.io") == 0
    assert shown(capfdbinary)[1] == "+55.0 ms|55.0 ms|110 ms|+100.0%|all functions"


def test_hostile_names(tmp_path, capfdbinary):
    path = tmp_path / "in.pyusdt"
    write(path, hostile())
    assert run(path, path, "--top", "99") == 0
    out = capfdbinary.readouterr().out.decode()
    assert not {c for c in out if not c.isprintable()} - {"\n"}


@pytest.mark.parametrize(("words", "code"), [([], 2), (["x.pyusdt"], 2)])
def test_the_number_of_files(files, words, code):
    with pytest.raises(UserError) as e:
        run(files[1], *words, files[1]) if words else run(files[1])
    assert e.value.code == code
    assert str(e.value) == "compare: give two recordings, or several: A1 A2 --to B1 B2"


def test_nothing_recorded(files, tmp_path):
    path = tmp_path / "empty.pyusdt"
    write(path, Snapshot())
    with pytest.raises(UserError, match="nothing recorded"):
        run(files[1], path)


@pytest.mark.parametrize("limit", ["ten", "-1", "nan%", ""])
def test_a_limit_that_is_none(files, limit, capsys):
    with pytest.raises(SystemExit):
        run(files[1], files[2], f"--fail-above={limit}")
    assert f"not a percentage: {limit}" in capsys.readouterr().err
