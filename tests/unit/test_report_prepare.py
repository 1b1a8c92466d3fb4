# SPDX-License-Identifier: Apache-2.0
"""What every report shows: "(others)" below its callers, threads of one name, no starters."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from pages import values_of
from recordings import MS, given_up, snapshot, snapshot_of

from pyusdt import report
from pyusdt.recording import Recording
from pyusdt.recording.tree import Node, walk
from pyusdt.report import folded, losses, table
from pyusdt.report import json as as_json
from pyusdt.report.html.data import page_data
from pyusdt.report.options import Options
from pyusdt.report.prepare import shown

pytestmark = pytest.mark.apart


def lines_of(recording: Recording, root: Node) -> list[tuple[int, str, int, int]]:
    return [
        (depth, recording.records[node.function].name, node.elapsed_ns // MS, node.self_ns // MS)
        for node, depth in walk(root)
    ]


def test_others_are_below_what_called_them() -> None:
    recording = shown(Recording.from_snapshot(given_up()))
    for again in (recording, shown(recording)):
        assert lines_of(again, again.threads[0].root) == [
            (0, "main", 100, 10),
            (1, "walk", 60, 20),
            (2, "(others)", 40, 40),
            (1, "(others)", 30, 30),
        ]
        assert {f.record.name: (f.calls, f.self_ns // MS) for f in again.functions} == {
            "walk": (1000, 70),
            "leaf": (1000, 20),
            "main": (1, 10),
            "(others)": (0, 0),
        }


def test_all_formats_agree() -> None:
    recording = shown(Recording.from_snapshot(given_up()))
    assert recording.self_ns == 100 * MS
    out = io.BytesIO()
    folded.write(recording, out, Options())
    assert sum(int(line.rpartition(" ")[2]) for line in out.getvalue().decode().splitlines()) == (
        100 * MS
    )
    data = page_data(recording)
    assert sum(values_of(data["nodes"]["self"])) == 100 * MS
    assert sum(values_of(data["totals"]["self"])) == 100 * MS
    out = io.BytesIO()
    as_json.write(recording, out, Options())
    document = json.loads(out.getvalue())
    known = {function["index"] for function in document["functions"]}
    assert set(document["threads"][0]["nodes"]["function"]) <= known
    out = io.BytesIO()
    table.write(recording, out, Options(tree=True))
    rows = [" ".join(line.split()) for line in out.getvalue().decode().splitlines()]
    assert rows[2] == "100 ms 100.0% MainThread"
    assert any(row.startswith("40.0 ms 40.0% 40.0 ms 0 │ └─(others)") for row in rows)


def test_the_time_of_functions_that_a_filter_left_out_is_that_of_others() -> None:
    """`leaf` ran in contexts that were given up: nobody knows below which wanted function."""
    recording = Recording.from_snapshot(given_up()).only(lambda record: record.module == "app")
    found = {f.record.name: f.self_ns // MS for f in shown(recording).functions}
    assert found == {"walk": 70, "(others)": 20, "main": 10}


@pytest.mark.parametrize("change", ["no loss", "no totals"])
def test_nothing_is_derived_where_nothing_was_given_up(change: str) -> None:
    data = given_up(totals=change != "no totals")
    if change == "no loss":
        data.losses.clear()
    recording = Recording.from_snapshot(data)
    assert shown(recording) is recording


def threads(*names: str) -> Recording:
    n = len(names)
    return Recording.from_snapshot(
        snapshot_of(
            threads=[(i, name, (i + 1) * MS) for i, name in enumerate(names)],
            functions=[(1, "m", "f", "f", "f.py", 1)],
            nodes=[(i, 0, -1, 1, 2, 0, 0, MS, MS) for i in range(n)],
            totals=[(i, 1, 2, 2, 0, 0, MS, MS) for i in range(n)],
        )
    )


def test_threads_of_one_name_are_one() -> None:
    recording = threads(
        "MainThread", "pool-0_0", "", "pool-0_1", "Thread-1 (work)", "", "twin", "twin",
        "Thread-12 (work)", "Thread-3 (rest)", "pool-0_10",
    )  # fmt: skip
    merged = shown(recording)
    assert [merged.thread_label(thread) for thread in merged.threads] == [
        "MainThread", "pool-0_* (3 threads)", "thread 2", "Thread-* (work) (2 threads)",
        "thread 5", "twin (2 threads)", "Thread-3 (rest)",
    ]  # fmt: skip
    pool = merged.threads[1]
    assert (pool.elapsed_ns, [node.calls for node in pool.root.children]) == (11 * MS, [6])
    assert merged.totals[0, pool.index, 0] == (6, 6, 0, 0, 3 * MS, 3 * MS)
    assert [f.calls for f in merged.functions] == [f.calls for f in recording.functions] == [22]
    assert shown(recording, split_threads=True) is recording


def test_threads_of_two_processes_stay_apart() -> None:
    recording = threads("worker-1", "worker-2")
    for number, thread in enumerate(recording.threads):
        object.__setattr__(thread, "process", number)
    assert len(shown(recording).threads) == 2


@pytest.mark.parametrize(
    "starter",
    [
        ("runpy", "_run_module_as_main", "_run_module_as_main", "<frozen runpy>", 1),
        ("__main__", "<module>", "<module>", "/usr/bin/pyusdt", 1),
    ],
    ids=["python -m", "script"],
)
def test_what_only_starts_the_program_is_left_out(starter: tuple[str, str, str, str, int]) -> None:
    recording = Recording.from_snapshot(
        snapshot_of(
            threads=[(1, "MainThread", 9 * MS)],
            functions=[
                (1, *starter),
                (2, "runpy", "_run_code", "_run_code", "<frozen runpy>", 2),
                (3, "__main__", "<module>", "<module>", "app.py", 1),
                (4, "runpy", "run_path", "run_path", "<frozen runpy>", 3),
            ],
            nodes=[
                (0, 0, -1, 1, 0, 0, 0, 9 * MS, MS),
                (0, 1, 0, 2, 0, 0, 0, 8 * MS, MS),
                (0, 2, 1, 3, 1, 0, 0, 7 * MS, 4 * MS),
                (0, 3, 2, 4, 1, 0, 0, 3 * MS, 2 * MS),
                (0, 4, 3, 2, 1, 0, 0, 1 * MS, 1 * MS),
            ],
            totals=[
                (0, 1, 0, 0, 0, 0, 9 * MS, MS),
                (0, 2, 1, 0, 0, 0, 8 * MS, 2 * MS),
                (0, 3, 1, 1, 0, 0, 7 * MS, 4 * MS),
                (0, 4, 1, 1, 0, 0, 3 * MS, 2 * MS),
            ],
        )
    )
    found = shown(recording)
    assert lines_of(found, found.threads[0].root) == [
        (0, "<module>", 7, 4),
        (1, "run_path", 3, 2),
        (2, "_run_code", 1, 1),
    ]
    assert {f.record.name for f in found.functions} == {"<module>", "run_path", "_run_code"}


def test_functions_are_shown_without_a_look_at_the_trees(tmp_path: Path) -> None:
    data = given_up()
    data.functions[0] = data.functions[0]._replace(module="runpy", name="_run_code")
    data.totals[0] = data.totals[0]._replace(calls=0, primitive_calls=0)
    data.nodes[0] = data.nodes[0]._replace(calls=0)
    recording = Recording.from_snapshot(data)
    rows = []
    for root in (None, recording.threads[0].root):
        object.__setattr__(recording.threads[0], "root", root)
        out = tmp_path / "out.csv"
        report.write(recording, str(out), report.FORMATS["csv"], Options())
        rows.append(out.read_text().splitlines())
    assert rows[0] == rows[1]
    assert [row.split(",")[1] for row in rows[0][1:]] == ["walk", "leaf"]
    names = {f.record.name for f in shown(recording).functions}
    assert names == {"walk", "leaf", "(others)"}
    formats = report.FORMATS.items()
    for steps in (False, True):
        needed = {name for name, form in formats if report.needs_trees(form, Options(steps=steps))}
        assert needed == report.FORMATS.keys() - {"table", "csv", "lprof-text"}
    assert report.needs_trees(report.FORMATS["table"], Options(tree=True))


def test_losses_say_what_to_do() -> None:
    names = {"calls beyond max_nodes": 1234, "calls folded into their recursion": 2, "news": 3}
    first, second, third = losses.lines(names)
    assert first.startswith("lost: 1,234 calls beyond max_nodes (")
    assert "raise --max-nodes" in first
    assert second.startswith("note: 2 calls folded into their recursion (functions are exact,")
    assert third == "lost: 3 news"
    (of_lines,) = losses.lines({"lines beyond memory": 5})
    assert of_lines.startswith("lost: 5 lines beyond memory (functions are exact,")
    assert "choose fewer functions with --lines" in of_lines


def test_a_report_of_nothing_special_is_as_recorded() -> None:
    recording = Recording.from_snapshot(snapshot())
    assert shown(recording) is recording
