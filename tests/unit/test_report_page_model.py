# SPDX-License-Identifier: Apache-2.0
"""The page's logic without a browser: it must count as the Python side counts."""

import json
import subprocess
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import MS, charged, given_up, lined, snapshot, snapshot_of

from pyusdt.recording import Recording
from pyusdt.recording.account import account
from pyusdt.report import certainty, html
from pyusdt.report.html.data import page_data as page_data_of
from pyusdt.report.html.pack import column
from pyusdt.report.order import ordered
from pyusdt.report.prepare import shown
from pyusdt.report.readings import reading, sampled

pytestmark = [pytest.mark.once, pytest.mark.browser, pytest.mark.apart]

PROGRAM = Path(__file__).parent / "programs/model.js"
PAGE = files("pyusdt.report.html")
SCRIPTS = [
    str(PAGE.joinpath(f"{name}.js"))
    for name in ("columns", "measures", "model", "totals", "format", "lines")
]


@pytest.fixture(scope="module")
def node(tool):
    """node(data, expression): the value of a JavaScript expression over `data`, its tree and the
    page's modules."""
    return partial(_evaluate, tool("node"))


def _evaluate(node, data, expression):
    done = subprocess.run(
        [node, PROGRAM, expression, *SCRIPTS],
        input=html.escaped(data),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def page_data(data):
    return page_data_of(Recording.from_snapshot(data))


def test_totals_and_neighbours(node):
    data = page_data(snapshot())
    rows = node(data, "[...Totals.whole(data, tree, -1, 'wall').values()]")
    assert {row["fn"]: (row["calls"], row["self"], row["total"]) for row in rows} == {
        0: (1, 10 * MS, 100 * MS),
        1: (7, 40 * MS, 60 * MS),
        2: (20, 55 * MS, 55 * MS),
        3: (1, 45 * MS, 50 * MS),
    }
    assert node(data, "Model.neighbours(tree, 1)") == {
        "callers": [
            {"fn": 0, "calls": 3, "total": 60 * MS, "looks": None},
            {"fn": 1, "calls": 4, "total": 30 * MS, "looks": None},
        ],
        "callees": [
            {"fn": 1, "calls": 4, "total": 30 * MS, "looks": None},
            {"fn": 2, "calls": 11, "total": 20 * MS, "looks": None},
        ],
    }


@st.composite
def trees(draw):
    size = draw(st.integers(1, 30))
    nodes = [
        [0, i, draw(st.integers(-1, i - 1)), draw(st.integers(0, 3)), 1, 0, 0, 0, i]
        for i in range(size)
    ]
    for row in reversed(nodes):
        row[7] += row[8]
        if row[2] >= 0:
            nodes[row[2]][7] += row[7]
    functions = [(i, "m", f"f{i}", f"f{i}", "f", i) for i in range(4)]
    return snapshot_of([(1, "t", 0)], functions, [tuple(row) for row in nodes])


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees())
def test_the_page_counts_as_the_table_does(node, data):
    recording = Recording.from_snapshot(data)
    rows = node(page_data(data), "[...Totals.whole(data, tree, -1, 'wall').values()]")
    assert {row["fn"]: (row["calls"], row["self"], row["total"]) for row in rows} == {
        f.index: (f.calls, f.self_ns, f.total_ns) for f in recording.functions
    }


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees())
def test_what_is_below_a_frame_counts_alike(node, data):
    """Below each frame of the first level, as in a recording of that frame alone."""
    first = [row for row in data.nodes if row.parent < 0]
    merged = {}
    for row in first:
        merged.setdefault(row.function, set()).add(row.node)
    for row in data.nodes:
        for nodes in merged.values():
            if row.parent in nodes:
                nodes.add(row.node)
    below = node(
        page_data(data),
        "tree.children[0].map((n) =>"
        " [tree.fn[n], [...Totals.below(data, tree, n, 'wall').values()]])",
    )
    for fn, rows in below:
        alone = replace(data, nodes=[row for row in data.nodes if row.node in merged[fn]])
        assert {row["fn"]: (row["calls"], row["self"], row["total"]) for row in rows} == {
            f.index: (f.calls, f.self_ns, f.total_ns)
            for f in Recording.from_snapshot(alone).functions
        }


@pytest.mark.parametrize("measure", ["cpu", "wait", "gil", "lock"])
def test_charges_are_those_of_the_recording(node, measure):
    recording = Recording.from_snapshot(charged())
    data = page_data_of(recording)
    at_first = f"Model.measure(data, tree, '{measure}')"
    rows = node(data, f"[...Totals.whole(data, {at_first}, -1, '{measure}').values()]")
    functions = {f.index: f for f in recording.functions}
    assert {row["fn"] for row in rows} == set(functions)
    for row in rows:
        it = functions[row["fn"]]
        assert row["cpu"] == it.cpu_ns
        assert row["wait"] == it.wait_ns
        assert {k: row[k] for k in it.waits} == it.waits
        assert row["looks"]["cpu"] == it.samples.get("cpu", 0)
        assert row["native"] == it.native_ns
        total = it.total_charges
        assert (row["total"], row["self"]) == (total.of(measure), it.self_ns)
    assert node(data, f"{at_first}.total[0]") == account(recording).charges.of(measure)


def test_what_is_not_known_is_not_offered(node):
    assert node(page_data(snapshot()), "Measures.offered(data)") == ["wall"]
    assert node(page_data(charged()), "Measures.offered(data)") == [
        "wall", "cpu", "wait", "gil", "lock", "poll", "net", "disk", "runnable", "other",
    ]  # fmt: skip
    rows = node(page_data(snapshot()), "[...Totals.whole(data, tree, -1, 'wall').values()]")
    assert {row["cpu"] for row in rows} == {row["native"] for row in rows} == {None}


def test_idle_functions_come_last_and_wall_time_limits_what_was_charged(node):
    data = charged()
    data.nodes[1] = data.nodes[1]._replace(self_ns=15 * MS)  # of `work`, which had 25 on a CPU
    recording = Recording.from_snapshot(data)
    rows = node(
        page_data_of(recording),
        "Model.idleLast(Model.sortRows(Totals.whole(data, tree, -1, 'wall').values(), 'cpu'))"
        ".map((row) => [row.fn, Format.reading(row, 'cpu')])",
    )
    assert rows == [[f.index, str(reading(f, "cpu"))] for f in ordered(recording, None)]
    assert rows[0] == [1, "<25.0 ms"]
    assert rows[-1] == [4, "~1 ms"]


def test_sampled_times_rest_on_looks(node):
    data = charged()
    data.times = "sampled"
    rows = node(page_data(data), "[...Totals.whole(data, tree, -1, 'wall').values()]")
    looks = [(row["looks"]["self"], row["looks"]["total"], row["looks"]["native"]) for row in rows]
    assert looks == [(10, 95, 0), (35, 55, 20), (20, 20, 0), (35, 35, 0), (199, 199, 0)]
    exact = node(page_data(charged()), "[...Totals.whole(data, tree, -1, 'wall').values()]")
    assert {row["looks"][key] for row in exact for key in ("self", "total", "native")} == {None}


def test_native_time_is_unknown_where_contexts_are(node):
    data = given_up()
    data.functions[2] = data.functions[2]._replace(file="", line=0)
    recording = shown(Recording.from_snapshot(data))
    rows = node(page_data_of(recording), "[...Totals.whole(data, tree, -1, 'wall').values()]")
    native = {f.index: f.native_ns for f in recording.functions}
    assert {row["fn"]: row["native"] for row in rows} == native


FIGURES = [
    (0, 0), (1_234_567_890, 50), (987_654_321, 500), (94_999, 99), (123_456_789_012, 20_000),
    (7, 12_000), (1_000_000, 3), (999_600, 9_999), (5_040_000, 10_000),
]  # fmt: skip


def test_sampled_figures_have_the_digits_that_are_known(node):
    shown = node(
        page_data(snapshot()),
        f"{json.dumps(FIGURES)}.map(([ns, n]) =>"
        " [Format.figure(ns, n), Format.percentage(ns, 9e9, n)])",
    )
    assert shown == [
        [certainty.figure(ns, n), certainty.percentage(ns, 9e9, n)] for ns, n in FIGURES
    ]


COLUMN = st.lists(st.integers(0, 1) | st.integers(0, 300) | st.integers(0, 2**40))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(COLUMN, min_size=20, max_size=50))
def test_columns_come_out_as_they_went_in(node, columns):
    packed = {str(i): column(values) for i, values in enumerate(columns)}
    data = {**page_data(snapshot_of()), "it": packed}
    columns_again = "Object.values(Columns.table(data.it)).map((values) => Array.from(values))"
    assert node(data, columns_again) == columns


@pytest.mark.parametrize("charges", [False, True])
def test_lines_are_those_of_the_recording(node, charges):
    recording = Recording.from_snapshot(lined(charges))
    rows = node(page_data_of(recording), "Lines.read(data).rows")
    lines = {(recording.records.index(it.record), it.line): it for it in recording.line_rows}
    assert {(row["fn"], row["line"]) for row in rows} == set(lines)
    for row in rows:
        it = lines[row["fn"], row["line"]]
        figures = (row["hits"], row["errors"], row["total"], row["self"])
        assert figures == (it.hits, it.errors, it.total_ns, it.self_ns)
        if charges:
            assert (row["cpu"], row["wait"]) == (it.cpu_ns, it.charges.wait_ns)
            assert row["looks"]["cpu"] == it.charges.looks("cpu")


def test_own_time_limits_what_was_charged_to_a_line(node):
    data = lined(charges=True)
    data.lines[:] = [row._replace(self_ns=row.self_ns // 2) for row in data.lines]
    recording = Recording.from_snapshot(data)
    rows = node(
        page_data_of(recording),
        "Lines.read(data).rows.map((row) => [row.line, Format.reading(row, 'cpu')])",
    )
    lines = recording.line_rows
    assert dict(rows) == {it.line: str(sampled(it.charges, "cpu", it.self_ns)) for it in lines}
    assert [cpu for line, cpu in rows if line == 9] == ["<40.0 ms"]


def test_without_times_lines_have_hits_and_what_was_charged(node):
    data = lined(charges=True)
    data.times = "sampled"
    data.lines[:] = [row._replace(total_ns=0, self_ns=0) for row in data.lines]
    read = node(page_data(data), "Lines.read(data)")
    assert read["weight"] == "cpu"
    assert {(row["self"], row["total"]) for row in read["rows"]} == {(None, None)}
    assert not read["known"]["self"]


def test_a_line_of_two_functions_is_the_selected_ones(node):
    data = lined()
    data.lines.append(data.lines[0]._replace(function=2, hits=77, self_ns=99 * MS))
    view = "Lines.view(data, Lines.read(data), {}, {})"
    for fn, part, hits in ((0, "false", 4), (1, "false", 77), (1, "true", 77)):
        shown = node(page_data(data), f"{view.format(fn, part)}.rows.get(2).hits")
        assert shown == hits
    assert node(page_data(data), f"{view.format(0, 'false')}.start") == 2
    assert node(page_data(data), f"{view.format(1, 'true')}.hot") == [2, 9, 8, 10, 7]


CALLS = [
    ("total += work(item) + self.work (1)", [["work", 1], ["work", 1]]),
    ("def work(item): Shop()", [["Shop", 2]]),
    ("class Shop(work(1)):", [["work", 1]]),
    ("größe(rework(works))  # work", [["größe", 3]]),
    ("work", []),
]


@pytest.mark.parametrize(("line", "calls"), CALLS)
def test_calls_in_a_line(node, line, calls):
    names = "new Map([['work', 1], ['Shop', 2], ['größe', 3]])"
    found = node(page_data(snapshot()), f"Lines.pieces({json.dumps(line)}, {names})")
    assert [[it["text"], it["fn"]] for it in found if isinstance(it, dict)] == calls
    assert "".join(it["text"] if isinstance(it, dict) else it for it in found) == line


def test_a_callee_has_the_name_that_a_line_has_for_it(node):
    functions = [
        (1, "app", "main", "main", "/srv/app.py", 1),
        (2, "app", "Shop.__init__", "__init__", "/srv/app.py", 10),
        (3, "app", "main.<locals>.sell", "sell", "/srv/app.py", 20),
        (4, "app", "Other.sell", "sell", "/srv/app.py", 30),
    ]
    nodes = [(0, 0, -1, 1, 1, 0, 0, 100 * MS, MS)]
    nodes += [(0, i, 0, i + 1, 1, 0, 0, i * MS, i * MS) for i in range(1, 4)]
    data = snapshot_of([(1, "t", 100 * MS)], functions, nodes)
    assert node(page_data(data), "[...Lines.calleesOf(data, tree).get(0)]") == [
        ["sell", 3], ["Shop", 1],
    ]  # fmt: skip


def test_the_address_goes_there_and_back(node):
    state = {
        "thread": 2, "zoom": 5, "fn": 3, "line": 7, "search": "a&b=c #", "sort": "calls",
        "reverse": True, "measure": "lock", "colours": "state",
    }  # fmt: skip
    again = node(page_data(snapshot()), f"Model.readHash(Model.writeHash({json.dumps(state)}))")
    assert again == state


def test_names_are_sorted_upwards_and_numbers_downwards(node):
    rows = '[{"fn":0,"p50":1},{"fn":1,"p50":null},{"fn":2,"p50":3}]'
    label = "(fn) => 'cab'[fn]"

    def order(key, reverse):
        return node(
            page_data(snapshot()),
            f"Model.sortRows({rows}, '{key}', {reverse}, {label}).map((row) => row.fn)",
        )

    assert order("p50", "false") == [2, 0, 1]
    assert order("p50", "true") == [0, 2, 1]
    assert order("name", "false") == [1, 2, 0]
