# SPDX-License-Identifier: Apache-2.0
"""A bound on contexts that is far too small: functions are exact, and all reports agree.

Tests for a process of their own, see test_given_up.py.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import inspect
import io
import pstats
import threading
import time
from collections.abc import Iterator

import pytest
from pages import values_of

import pyusdt
from pyusdt import libpyusdt
from pyusdt.recording import Node, Recording
from pyusdt.recording.tree import walk
from pyusdt.report import Options, table
from pyusdt.report.html.data import page_data
from pyusdt.report.prepare import shown

from .. import test_against_cprofile as against
from .. import test_options as options


@pytest.fixture(autouse=True)
def _new_trees() -> None:
    """What has been recorded just before may go on until the watcher's next tick."""
    libpyusdt.stop()
    libpyusdt.start()


LEAF_SECONDS = 0.0005
N = 100


def leaf() -> None:
    end = time.perf_counter() + LEAF_SECONDS
    while time.perf_counter() < end:
        pass


NAMESPACE: dict[str, object] = {"leaf": leaf}
exec("\n".join(f"def f{i}(): leaf()" for i in range(N)), NAMESPACE)
CALLERS = [NAMESPACE[f"f{i}"] for i in range(N)]


def main() -> None:
    for caller in CALLERS:
        caller()  # type: ignore[operator]


def main_twice() -> None:
    for _ in range(2):
        main()


def name(recording: Recording, node: Node) -> str:
    return recording.records[node.function].name


def shown_of(rec: pyusdt.record) -> Recording:
    """With what all reports show of it."""
    recording = shown(rec.recording)
    whole = sum(node.elapsed_ns for thread in recording.threads for node in thread.root.children)
    assert recording.self_ns == pytest.approx(whole, rel=1e-3)
    data = page_data(recording)
    assert sum(values_of(data["totals"]["self"])) == pytest.approx(whole, rel=1e-3)
    assert sum(values_of(data["nodes"]["self"])) == pytest.approx(whole, rel=1e-3)
    for node, _ in walk(recording.tree):
        below = sum(child.elapsed_ns for child in node.children)
        assert node.elapsed_ns == pytest.approx(node.self_ns + below, rel=1e-3, abs=100)
    return recording


@pytest.fixture
def _no_gc() -> Iterator[None]:
    """Whoever has a callback of the collector would be recorded too: hypothesis has."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_gc")
def test_memory_is_bounded_and_functions_are_exact():
    functions = options.make_functions(3000)
    with pyusdt.record(max_nodes=1000) as rec:
        for _ in range(2):
            for function in functions:
                function()
    made = [f for f in rec.functions if f.record.name.startswith("made_")]
    assert [f.calls for f in made] == [2] * 3000
    contexts = [node for node, _ in walk(rec.tree) if node.calls == 2]
    assert 1000 <= len(contexts) < 1100  # the other nodes have their share
    assert rec.losses == {"calls beyond max_nodes": 2 * (3000 - len(contexts))}
    with pyusdt.record() as rec:
        for function in functions:
            function()
    assert len([f for f in rec.functions if f.record.name.startswith("made_")]) == 3000
    assert rec.losses == {}


def test_others_are_below_their_callers() -> None:
    with pyusdt.record(max_nodes=60) as rec:
        main()
    recording = shown_of(rec)
    functions = {f.record.name: f for f in recording.functions}
    assert functions["leaf"].calls == N
    assert {functions[f"f{i}"].calls for i in range(N)} == {1}
    assert functions["leaf"].total_ns >= N * LEAF_SECONDS * 1e9
    (others,) = {
        name(recording, node)
        for top, _ in walk(recording.tree)
        if name(recording, top) == "main"
        for node in top.children
    } - {f"f{i}" for i in range(N)}
    assert others == "(others)"
    # It is the whole, and no more: not counted once below its caller and once at the top.
    (thread,) = recording.threads
    assert sum(node.elapsed_ns for node in thread.root.children) <= thread.elapsed_ns * 1.001


def test_while_it_runs() -> None:
    """What runs in a context that is given up counts in reports of the moment."""
    seen: list[Recording] = []

    def deep() -> None:
        leaf()
        seen.append(shown_of(rec))

    with pyusdt.record(max_nodes=1) as rec:
        main()
        deep()
    (recording,) = seen
    (running,) = [f for f in recording.functions if f.record.name == "deep"]
    assert (running.calls, running.primitive_calls) == (1, 1)
    assert running.total_ns >= LEAF_SECONDS * 1e9


def test_threads_that_begin_when_memory_is_spent() -> None:
    with pyusdt.record(max_nodes=1) as rec:
        threads = [threading.Thread(target=main_twice, name=f"pool-{i}") for i in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    recording = shown_of(rec)
    functions = {f.record.name: f for f in recording.functions}
    assert functions["main"].calls == 3 * 2
    assert functions["leaf"].calls == 3 * 2 * N
    assert functions["leaf"].histogram.total() == 3 * 2 * N
    assert functions["_bootstrap"].calls == 3
    labels = [recording.thread_label(thread) for thread in recording.threads]
    assert sorted(labels) == ["MainThread", "pool-* (3 threads)"]
    pool = next(thread for thread in recording.threads if thread.count == 3)
    assert sum(node.elapsed_ns for node in pool.root.children) >= 600 * LEAF_SECONDS * 1e9


def test_a_report_of_it_names_what_to_do() -> None:
    with pyusdt.record(max_nodes=1) as rec:
        main()
    out = io.BytesIO()
    table.write(shown(rec.recording), out, Options(tree=True))
    text = out.getvalue().decode()
    assert "(others)" in text
    assert "raise --max-nodes" in text


class Visitor(ast.NodeVisitor):
    """Each node by a method of the base class."""


def visit_trees() -> None:
    """Walks of trees in which nearly each node is in a context of its own."""

    def walk(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            walk(child)

    def hot() -> None:
        pass

    for module in (argparse, ast, pstats):
        tree = ast.parse(inspect.getsource(module))
        walk(tree)
        Visitor().visit(tree)
    copy.deepcopy(tree)
    for _ in range(1000):
        hot()


@pytest.mark.parametrize(("max_nodes", "loss"), [(1, against.GIVEN_UP), (2000, against.FOLDED)])
def test_counts_where_contexts_are_given_up(max_nodes, loss):
    visit_trees()
    with pyusdt.record(max_nodes=max_nodes) as rec:
        visit_trees()
    assert against.calls_of(rec) == against.of_cprofile(visit_trees, builtins=False)
    assert set(rec.losses) == {loss}
    # What functions have, the tree has too.
    own = sum(f.self_ns for f in rec.functions)
    assert own == pytest.approx(sum(n.elapsed_ns for n in rec.tree.children), rel=1e-3)
