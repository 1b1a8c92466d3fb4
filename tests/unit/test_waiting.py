# SPDX-License-Identifier: Apache-2.0
"""Which functions of a recording wait, and that a comparison does not judge them."""

import textwrap

import pytest
from recordings import MS, snapshot_of

from pyusdt.compare import compare, regressions
from pyusdt.recording import Recording
from pyusdt.waiting import waited, waiting

pytestmark = pytest.mark.apart


def recording(functions, nodes):
    rows = [(i, *row) for i, row in enumerate(functions)]
    return Recording.from_snapshot(snapshot_of([(1, "t", MS)], rows, nodes))


def alone(body, tmp_path, name="f", callee=None):
    """Whether a function with that source waits; it may have called another one."""
    file = tmp_path / "app.py"
    file.write_text("import time\n\n" + textwrap.dedent(body))
    functions = [("app", name, name, str(file), 3)]
    nodes = [(0, 0, -1, 0, 1, 0, 0, 2 * MS, MS)]
    if callee:
        functions.append(("app", callee, callee, "", 1))
        nodes.append((0, 1, 0, 1, 1, 0, 0, MS, MS))
    return 0 in waiting(recording(functions, nodes))


@pytest.mark.parametrize(
    "body",
    [
        "def f(): time.sleep(1)",
        "def f(s):\n    while True:\n        s.recv_into (bytearray(3))",
        "@deco\nasync def f():\n    x = lock.acquire()",
        "def f():\n    if sleep(1): pass\n" + "    g()\n" * 200,
    ],
)
def test_a_function_that_calls_one_that_blocks_waits(body, tmp_path):
    assert alone(body, tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        "def f(): return sleep",
        "def f():\n    # time.sleep(1)\n    return 'time.sleep(1)'",
        "async def f():\n    await asyncio.sleep(1)\n    await a.b.wait(2)",
        "def f():\n    def g():\n        time.sleep(1)\n    return g",
        "def f():\n    async def g():\n        time.sleep(1)\n    class C:\n        x = sleep(1)",
        "def other():\n    time.sleep(1)",
        "def f(:\n  time.sleep(",
        "'''",
        "",
    ],
)
def test_any_other_works(body, tmp_path):
    assert not alone(body, tmp_path)


def test_time_in_a_recorded_function_is_not_its_callers(tmp_path):
    body = "def f(pool): pool.acquire(); time.sleep(1)"
    assert alone(body, tmp_path, callee="acquire")
    assert not alone("def f(pool): pool.acquire()", tmp_path, callee="acquire")


def test_functions_of_the_library_are_known_without_their_source():
    functions = [
        ("time", "sleep", "sleep", "", 0),
        ("_thread", "lock.acquire", "acquire", "", 0),
        ("builtins", "dict.get", "get", "", 0),
        ("threading", "Condition.wait", "wait", "/nowhere/threading.py", 300),
        ("app", "wait", "wait", "/nowhere/app.py", 3),
    ]
    nodes = [(0, i, -1, i, 1, 0, 0, MS, MS) for i in range(len(functions))]
    assert waiting(recording(functions, nodes)) == {0, 1, 3}


def test_what_of_a_total_is_waiting_counts_recursion_once():
    names = [("app", name, name, "", 1) for name in ("main", "again", "wait")]
    nodes = [
        (0, 0, -1, 0, 1, 0, 0, 10 * MS, MS),
        (0, 1, 0, 1, 1, 0, 0, 9 * MS, MS),
        (0, 2, 1, 2, 1, 0, 0, 3 * MS, 3 * MS),
        (0, 3, 1, 1, 1, 0, 0, 5 * MS, MS),
        (0, 4, 3, 2, 1, 0, 0, 4 * MS, 4 * MS),
    ]
    sums = waited(recording(names, nodes), {2})
    assert sums == {0: 7 * MS, 1: 7 * MS, 2: 7 * MS}


def run(work, idle, tmp_path):
    """main -> handle, and main -> wait_for_request: ms of each."""
    file = tmp_path / "idle.py"
    file.write_text(
        "def main(): pass\n"
        "def handle(): return sum(range(n))\n"
        "def wait_for_request(until): time.sleep(max(0, until - time.perf_counter()))\n"
    )
    names = ("main", "handle", "wait_for_request")
    functions = [("__main__", name, name, str(file), i) for i, name in enumerate(names, 1)]
    nodes = [
        (0, 0, -1, 0, 1, 0, 0, int((work + idle + 1) * MS), MS),
        (0, 1, 0, 1, 30, 0, 0, int(work * MS), int(work * MS)),
        (0, 2, 0, 2, 30, 0, 0, int(idle * MS), int(idle * MS)),
    ]
    return recording(functions, nodes)


def test_a_faster_program_that_idles_longer_has_not_become_slower(tmp_path):
    slow = [run(30 + i / 10, 20 - i / 10, tmp_path) for i in range(3)]
    fast = [run(10 + i / 10, 45 - i / 10, tmp_path) for i in range(3)]
    comparison = compare(slow, fast)
    assert regressions(comparison, 0.1) == []
    assert [f.qualname for f in comparison.functions if f.waits] == ["wait_for_request"]
    assert comparison.waits.delta == pytest.approx(25 * MS)
    assert comparison.whole.delta == pytest.approx(-20 * MS)
    grown = regressions(compare(fast, slow), 0.1)
    assert [(name, figure) for name, figure, _ in grown] == [
        ("all functions", "self"),
        ("__main__:handle", "self"), ("__main__:handle", "total"),
        ("__main__:main", "total without waits"),
    ]  # fmt: skip


def test_a_function_that_calls_more_often_is_not_slower_per_call():
    functions = [("app", "f", "f", "", 1)]
    once, twice = (recording(functions, [(0, 0, -1, 0, n, 0, 0, n * MS, n * MS)]) for n in (10, 20))
    (change,) = compare([once], [twice]).functions
    assert change.self_ns.ratio == 1
    assert change.self_ns.per(change.calls).ratio == 0
