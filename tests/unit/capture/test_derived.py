# SPDX-License-Identifier: Apache-2.0
"""The arguments of the probes that pyusdt derives, without a tracer and without root."""

from __future__ import annotations

RETURN, YIELD, UNWIND = "0", "1", "2"


def of(told, probe):
    return [hit[1:] for hit in told if hit[0] == probe]


def test_functions_end_once_each(listen):
    """Fields: qualname, line, id, depth, elapsed_ns, self_ns, outcome; the file is left out."""
    done = of(listen("derived_heard.py"), "function__done")
    assert [(name, int(depth), outcome) for name, _, _, depth, _, _, outcome in done] == [
        ("fib", 4, RETURN),
        ("fib", 4, RETURN),
        ("fib", 3, RETURN),
        ("numbers", 3, YIELD),
        ("numbers", 3, YIELD),
        ("numbers", 3, RETURN),
        ("fail", 4, UNWIND),
        ("fail", 3, UNWIND),
        ("work", 2, RETURN),
    ]
    for name, _, _, depth, elapsed, own, _ in done:
        assert int(elapsed) >= int(own) > 0
        if int(depth) == 4:
            assert elapsed == own, name
    assert int(done[-1][4]) >= sum(int(hit[4]) for hit in done if hit[3] == "3")


def test_code_is_told_once_with_the_id_and_line_of_its_events(listen):
    told = listen("derived_heard.py")
    new = of(told, "code__new")
    assert [(module, name) for _, module, name, _ in new] == [
        ("__main__", name) for name in ("work", "fib", "numbers", "fail")
    ]
    assert {(name, line, number) for number, _, name, line in new} == {
        (name, line, number) for name, line, number, *_ in of(told, "function__done")
    }


def test_a_collection_and_what_it_found(listen):
    told = listen("derived_heard.py")
    assert of(told, "gc__begin") == [["2"]]
    ((generation, collected, uncollectable, elapsed),) = of(told, "gc__end")
    assert (generation, collected, uncollectable) == ("2", "1", "0")
    assert int(elapsed) > 0


def test_marks_and_steps(listen):
    told = listen("derived_heard.py")
    assert of(told, "mark") == [["größe", "2.9", "2"]]
    assert of(told, "step__start") == [["load"]]
    ((name, elapsed),) = of(told, "step__done")
    assert name == "load"
    assert int(elapsed) > 0
