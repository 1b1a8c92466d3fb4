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
from recordings import MS, snapshot, snapshot_of

from pyusdt.recording import Recording
from pyusdt.report import html

pytestmark = [pytest.mark.once, pytest.mark.browser, pytest.mark.apart]

PROGRAM = Path(__file__).parent / "programs/model.js"
MODEL = files("pyusdt.report.html").joinpath("model.js")


@pytest.fixture(scope="module")
def node(tool):
    """node(data, expression): the value of a JavaScript expression over `data` and `Model`."""
    return partial(_evaluate, tool("node"))


def _evaluate(node, data, expression):
    done = subprocess.run(
        [node, PROGRAM, str(MODEL), expression],
        input=html._escaped(data),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def page_data(data):
    return html._data(Recording.from_snapshot(data))


def test_totals_and_neighbours(node):
    data = page_data(snapshot())
    rows = node(data, "[...Model.totals(data, -1).values()]")
    assert {row["fn"]: (row["calls"], row["self"], row["total"]) for row in rows} == {
        0: (1, 10 * MS, 100 * MS),
        1: (7, 40 * MS, 60 * MS),
        2: (20, 55 * MS, 55 * MS),
        3: (1, 45 * MS, 50 * MS),
    }
    assert node(data, "Model.neighbours(tree, 1)") == {
        "callers": [
            {"fn": 0, "calls": 3, "total": 60 * MS},
            {"fn": 1, "calls": 4, "total": 30 * MS},
        ],
        "callees": [
            {"fn": 1, "calls": 4, "total": 30 * MS},
            {"fn": 2, "calls": 11, "total": 20 * MS},
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
    rows = node(page_data(data), "[...Model.totals(data, -1).values()]")
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
        "tree.children[0].map((n) => [tree.fn[n], [...Model.totalsBelow(data, tree, n).values()]])",
    )
    for fn, rows in below:
        alone = replace(data, nodes=[row for row in data.nodes if row.node in merged[fn]])
        assert {row["fn"]: (row["calls"], row["self"], row["total"]) for row in rows} == {
            f.index: (f.calls, f.self_ns, f.total_ns)
            for f in Recording.from_snapshot(alone).functions
        }


def test_the_address_goes_there_and_back(node):
    state = {"thread": 2, "zoom": 5, "fn": 3, "search": "a&b=c #", "sort": "calls", "reverse": True}
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
