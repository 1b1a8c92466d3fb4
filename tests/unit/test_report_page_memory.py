# SPDX-License-Identifier: Apache-2.0
"""Memory in a page, without a browser: figures are those of load(), to the byte."""

import json
import subprocess
from collections import defaultdict
from importlib.resources import files
from pathlib import Path

import pytest
from held_program import BEGIN, held, hostile_held, two_processes
from pages import values_of
from recordings import MS, charged, lined

from pyusdt import report
from pyusdt.recording import Recording, load, write
from pyusdt.recording.memory import NOTHING
from pyusdt.recording.tree import walk
from pyusdt.report import Options, html
from pyusdt.report.html.data import page_data
from pyusdt.report.prepare import shown

PROGRAM = Path(__file__).parent / "programs/model.js"
PAGE = files("pyusdt.report.html")
SCRIPTS = [
    str(PAGE.joinpath(f"{name}.js"))
    for name in ("columns", "measures", "model", "totals", "format", "lines", "memory")
]
MEASURES = ("peak", "allocated", "live")

pytestmark = pytest.mark.apart


@pytest.fixture(scope="module")
def node(tool):
    """node(recording, expression): the value of a JavaScript expression over its page's data."""
    program = tool("node")

    def evaluate(recording, expression):
        done = subprocess.run(
            [program, PROGRAM, expression, *SCRIPTS],
            input=html.escaped(page_data(recording)),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return evaluate


def figures(it):
    return {
        "peak": it.peak_bytes, "peakBlocks": it.peak_blocks,
        "allocated": it.allocated_bytes, "allocatedBlocks": it.allocated_blocks,
        "live": it.live_bytes, "liveBlocks": it.live_blocks,
        "temporary": it.temporary_bytes, "temporaryBlocks": it.temporary_blocks,
        "biggest": it.biggest,
    }  # fmt: skip


def by(rows, key):
    sums = defaultdict(lambda: NOTHING)
    for row in rows:
        sums[key(row)] = sums[key(row)].plus(row.figures)
    return sums


def of_rows(rows, wanted):
    return {row["fn"]: {name: row[name] for name in wanted} for row in rows}


def loaded(tmp_path, data):
    write(tmp_path / "it.pyusdt", data)
    return load(tmp_path / "it.pyusdt")


@pytest.mark.once
@pytest.mark.browser
def test_functions_have_the_figures_of_load(node, tmp_path):
    recording = loaded(tmp_path, held())
    expected = by(recording.memory, lambda row: row.function)
    rows = node(recording, "[...Totals.whole(data, tree, -1, 'wall').values()]")
    found = of_rows(rows, figures(NOTHING))
    assert found == {fn: figures(it) for fn, it in expected.items() if fn >= 0}
    for thread in range(2):
        tree = f"Model.build(data, {thread})"
        rows = node(recording, f"[...Totals.whole(data, {tree}, {thread}, 'wall').values()]")
        own = by((r for r in recording.memory if r.thread == thread), lambda row: row.function)
        assert of_rows(rows, MEASURES) == {
            fn: {name: figures(it)[name] for name in MEASURES} for fn, it in own.items() if fn >= 0
        }


@pytest.mark.once
@pytest.mark.browser
@pytest.mark.parametrize("measure", MEASURES)
def test_the_flame_graph_has_all_of_it(node, tmp_path, measure):
    recording = loaded(tmp_path, held())
    tree = node(
        recording, f"((it) => [it.fn, [...it.total], it.exact])(Model.build(data, -1, '{measure}'))"
    )
    functions, totals, exact = tree
    assert exact
    assert totals[0] == figures(recording.memory_totals)[measure]
    contexts = {
        recording.records[n.function].name: figures(n.memory)[measure]
        for n, _ in walk(recording.tree)
        if n.memory
    }
    own = node(recording, f"[...Model.build(data, -1, '{measure}').own]")
    # work is below main, and at the top of the worker.
    assert sum(own[1:]) == sum(figures(n.memory)[measure] for n, _ in walk(recording.tree))
    assert contexts.keys() == {"main", "work"}
    assert functions[0] == -1
    rows = node(
        recording,
        f"[...Totals.whole(data, Model.build(data, -1, '{measure}'), -1, '{measure}').values()]",
    )
    by_function = by(recording.memory, lambda row: row.function)
    work = next(i for i, it in enumerate(recording.records) if it.name == "work")
    (total,) = [row["total"] for row in rows if row["fn"] == work]
    assert total == figures(by_function[work])[measure]  # with what was given up


@pytest.mark.once
@pytest.mark.browser
def test_lines_have_the_figures_of_load(node, tmp_path):
    recording = loaded(tmp_path, held())
    expected = by(recording.memory, lambda row: (row.line_function, row.line))
    rows = node(recording, "Lines.read(data).rows")
    found = {(row["fn"], row["line"]): row["allocated"] for row in rows if row["allocated"]}
    assert found == {key: it.allocated_bytes for key, it in expected.items() if key[1]}
    (line,) = [row for row in rows if row["line"] == 9]
    both = next(it for (_, number), it in expected.items() if number == 9)
    assert {name: line[name] for name in figures(both)} == figures(both)


@pytest.mark.once
@pytest.mark.browser
def test_below_a_frame_it_is_its_own(node, tmp_path):
    recording = loaded(tmp_path, held())
    rows = node(
        recording, "[...Totals.below(data, Model.build(data, 0, 'peak'), 2, 'peak').values()]"
    )
    (work,) = rows
    assert (work["peak"], work["total"], work["temporary"]) == (80_000_000, 80_000_000, 100_000_000)


@pytest.mark.once
@pytest.mark.browser
def test_a_process_is_a_choice(node):
    recording = two_processes()
    whole = node(recording, "[-1, -2, -3].map((choice) => Memory.whole(data, choice))")
    assert whole[1] == whole[2]
    assert whole[0]["peak"] == 2 * whole[1]["peak"] == recording.memory_totals.peak_bytes
    totals = node(
        recording, "[-1, -2, 2].map((choice) => Model.build(data, choice, 'peak').total[0])"
    )
    assert totals[0] == 2 * totals[1]
    of_thread = sum(r.figures.peak_bytes for r in recording.memory if r[:2] == (1, 0))
    assert totals[2] == of_thread
    assert node(recording, "Model.writeHash({...Model.readHash(''), thread: -3})") == "thread=-3"
    assert node(recording, "Model.readHash('#thread=-3&measure=peak').thread") == -3


@pytest.mark.once
@pytest.mark.browser
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Memory.bytes(0)", "0 B"),
        ("Memory.bytes(999)", "999 B"),
        ("Memory.bytes(1000)", "1.00 kB"),
        ("Memory.bytes(999_600)", "1.00 MB"),
        ("Memory.bytes(123_456_789)", "123 MB"),
        ("Memory.bytes(5.25e12)", "5.25 TB"),
        ("Memory.bytes(0, 0)", "-"),
        ("Memory.bytes(600_000, 1)", "~600 kB"),
        ("Memory.bytes(123_456_789, 235)", "~120 MB"),
    ],
)
def test_bytes_have_units_and_no_digit_that_is_not_known(node, text, says):
    assert node(Recording.from_snapshot(held()), text) == says


@pytest.mark.once
@pytest.mark.browser
def test_samples_are_estimates(node):
    recording = Recording.from_snapshot(held("sampled"))
    (work,) = node(
        recording,
        "[...Totals.whole(data, tree, -1, 'wall').values()].filter((row) => row.peak > 5e7)"
        ".map((row) => [...Object.keys(Memory.COLUMNS).map((key) => Memory.reading(row, key)),"
        " Memory.facts(row).at(-1)])",
    )
    assert work == [
        "~80 MB",
        "~100 MB",
        "~200 kB",
        "~100 MB",
        "~59",
        ["Biggest block", "≥ 60.0 MB"],
    ]
    assert not node(recording, "Model.build(data, -1, 'peak').exact")


def test_points_and_steps_are_on_one_axis():
    recording = two_processes()
    memory = page_data(recording)["memory"]
    first, second = memory["resident"]
    at = [values_of(one["points"]["at"]) for one in (first, second)]
    assert at[0] == [n * MS for n in (0, 20, 50, 70, 90, 100)]
    assert at[1] == [n + 1_000 * MS for n in at[0]]
    starts = [values_of(one["lanes"][0]["spans"]["start"]) for one in memory["lanes"]]
    assert starts == [[40 * MS], [1_040 * MS]]
    assert memory["began"] == BEGIN // MS


def written(data, tmp_path):
    path = tmp_path / "page.html"
    report.write(Recording.from_snapshot(data), str(path), report.FORMATS["html"], Options())
    return path.read_text()


@pytest.mark.parametrize("data", [lined(charges=True), charged()], ids=["lined", "charged"])
def test_a_page_without_memory_has_nothing_of_it(tmp_path, data):
    without = written(data, tmp_path)
    for name in (*html.OF_MEMORY, "held.css"):
        assert PAGE.joinpath(name).read_text("utf-8") not in without
    assert '"memory"' not in without
    assert "class Timeline" not in without


def test_a_page_with_memory_has_its_scripts(tmp_path):
    page = written(held(), tmp_path)
    assert all(PAGE.joinpath(name).read_text("utf-8") in page for name in html.OF_MEMORY)


def test_foreign_names_of_steps_do_not_leave_the_data(tmp_path):
    page = written(hostile_held(), tmp_path)
    assert page.count("</script>") == 2


def test_threads_of_one_name_have_their_memory_together():
    data = held()
    data.threads[0] = data.threads[0]._replace(name="worker-0")
    recording = shown(Recording.from_snapshot(data))
    assert len(recording.threads) == 1
    assert {row.thread for row in recording.memory} == {0, -1}
    found = Recording.from_snapshot(data)
    assert recording.memory_totals == found.memory_totals
