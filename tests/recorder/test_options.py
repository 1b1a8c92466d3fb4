# SPDX-License-Identifier: Apache-2.0
"""What `pyusdt.record` can be asked for: filters, calls in C, a bound on memory, threads."""

from __future__ import annotations

import threading
import time
import types

import pytest

import pyusdt

from .recorded import (
    MODULE,
    SLICE_NS,
    counts,
    leaf,
    threads_are_as_long_as_their_trees,
    work,
)

MS = 1_000_000


def test_only_and_exclude():
    for patterns, names in [
        (f"{MODULE}:leaf", {"leaf"}),
        ([f"{MODULE}:l??f", "some.module:Service.*"], {"leaf"}),
        (MODULE, {"leaf", "work"}),
        (MODULE.rpartition(".")[0], {"leaf", "work"}),
    ]:
        with pyusdt.record(only=patterns) as rec:
            work()
        assert set(counts(rec)) == names
        assert {f.record.module for f in rec.functions} <= {MODULE, __name__}
    with pyusdt.record(exclude=f"{MODULE}:leaf") as rec:
        work()
    assert set(counts(rec)) == {"work"}


def test_what_is_not_recorded_is_its_callers_time():
    def slow() -> None:
        time.sleep(0.02)

    def caller() -> None:
        slow()

    with pyusdt.record(only=f"{__name__}:*caller") as rec:
        caller()
    (function,) = rec.functions
    assert function.self_ns == function.total_ns >= 20 * MS


def test_nested_with_filters():
    with pyusdt.record(only=f"{MODULE}:work") as outer:
        work(1)
        with pyusdt.record(only=f"{MODULE}:leaf", c_calls=True) as inner:
            work(10)
        work(100)
    assert counts(outer) == {"work": 3}
    assert counts(inner) == {"leaf": 10}
    assert all(f.record.file for f in outer.functions)


def test_a_filtered_call_costs_nothing_from_then_on():
    """Its events are disabled: the recorder is not asked again."""

    def least() -> float:
        """Processor time, the least of several: the machine may be busy."""
        times = []
        for _ in range(10):
            begin = time.thread_time()
            work(20_000)
            times.append(time.thread_time() - begin)
        return min(times)

    with pyusdt.record(only="no.such.module") as rec:
        work(10_000)
        filtered = least()
    assert rec.functions == []
    assert filtered < 2 * least()


def test_c_calls():
    def raises() -> None:
        with pytest.raises(IndexError):
            [].pop()

    with pyusdt.record(c_calls=True) as rec:
        text = "b a c"
        words = sorted(text.split(), key=lambda word: word.upper())
        len(words)
        raises()
    functions = {f.record.label: f for f in rec.functions}
    assert functions["builtins:str.split"].calls == 1
    assert functions["builtins:str.upper"].calls == 3
    assert functions["builtins:list.pop"].errors == 1
    (key,) = [f for f in rec.functions if f.record.name == "<lambda>" and f.calls == 3]
    callers = {rec.recording.records[index].label for index in key.callers}
    assert callers == {"builtins:sorted"}


def test_c_calls_whose_end_is_not_told():
    """f(*args) of a bound method in C is such a call on some Pythons (cpython #130898)."""
    append = [].append

    def caller() -> None:
        append(*(1,))
        append(*(2,))
        leaf()

    with pyusdt.record(c_calls=True) as rec:
        caller()
    (node,) = [f for f in rec.functions if f.record.name == "caller"]
    assert {rec.recording.records[i].label for i in node.callees} <= {
        "builtins:list.append", f"{MODULE}:leaf"
    }  # fmt: skip
    (below,) = [f for f in rec.functions if f.record.name == "leaf"]
    assert {rec.recording.records[i].name for i in below.callers} <= {"caller", "append"}


def make_functions(n: int) -> list[types.FunctionType]:
    namespace: dict[str, types.FunctionType] = {}
    exec("\n".join(f"def made_{i}(): pass" for i in range(n)), namespace)
    return [namespace[f"made_{i}"] for i in range(n)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": "mine"}, "threads is"),
        ({"max_nodes": 0}, "max_nodes is"),
        ({"flush": 0, "path": "x"}, "flush is"),
        ({"flush": 1}, "flush needs a path"),
        ({"only": "a,,b"}, "empty pattern"),
        ({"exclude": [""]}, "empty pattern"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        pyusdt.record(**options)


def test_current_thread():
    def elsewhere() -> None:
        go.wait()
        work()
        done.set()

    go, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=elsewhere)
    thread.start()
    with pyusdt.record(threads="current") as mine, pyusdt.record() as all_of_them:
        work(1)
        go.set()
        done.wait()
    thread.join()
    assert [t.name for t in mine.threads] == ["MainThread"]
    assert counts(mine)["leaf"] == 1
    assert counts(all_of_them)["leaf"] == 4
    assert len(all_of_them.threads) == 2


def test_threads_that_ended_are_kept_with_their_names():
    def run() -> None:
        work(1)

    with pyusdt.record() as rec:
        for i in range(40):
            thread = threading.Thread(target=run, name=f"short-{i}")
            thread.start()
            thread.join()
    names = [t.name for t in rec.threads if t.name != "MainThread"]
    assert names == [f"short-{i}" for i in range(40)]
    assert counts(rec)["leaf"] == 40


def test_very_many_threads_are_merged():
    def run() -> None:
        work(1)

    with pyusdt.record() as rec:
        for i in range(700):
            thread = threading.Thread(target=run, name=f"short-{i}")
            thread.start()
            thread.join()
    assert len(rec.threads) < 400
    assert counts(rec)["leaf"] == 700
    assert rec.losses["threads merged with an ended one"] + len(rec.threads) >= 700
    # Up to three threads lie in one.
    threads_are_as_long_as_their_trees(rec.recording, 3 * SLICE_NS)


def test_a_thread_that_outlives_it():
    def run() -> None:
        while not stop.is_set():
            work(1)
            time.sleep(0.001)

    stop = threading.Event()
    thread = threading.Thread(target=run)
    thread.start()
    with pyusdt.record() as rec:
        while counts(rec).get("leaf", 0) < 5:
            time.sleep(0.001)
    stop.set()
    thread.join()
    names = {t.name for t in rec.threads}
    assert names == {"MainThread", thread.name}
    threads_are_as_long_as_their_trees(rec.recording, SLICE_NS)
