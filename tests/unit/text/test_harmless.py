# SPDX-License-Identifier: Apache-2.0
"""The observed program does not notice, and repr() where it was asked for."""

import ast
import gc
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest
from unit.text.objects import (
    MODULE,
    OFF,
    REPR,
    BoomError,
    Outer,
    raising,
    with_repr,
)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (lambda _self: "<shown>", "<shown>"),
        (lambda _self: "a\udc80\x00é", r"a\udc80\x00é"),
        (lambda _self: "y" * 10**7, "y" * 197 + "..."),
        (lambda _self: "€" * 10**6, "€" * 65 + "..."),
        (lambda _self: 7, "<repr failed: TypeError>"),
        (lambda _self: repr(_self), "<repr failed: RecursionError>"),
        (raising(ValueError("x")), "<repr failed: ValueError>"),
        (raising(BoomError("x")), f"<repr failed: {MODULE}.BoomError>"),
        (raising(KeyboardInterrupt()), "<repr failed: KeyboardInterrupt>"),
        (raising(SystemExit(3)), "<repr failed: SystemExit>"),
        (raising(MemoryError()), "<repr failed: MemoryError>"),
    ],
)
def test_repr_mode(text: Any, method: Callable[[Any], Any], expected: str) -> None:
    o = with_repr(method)
    assert text.value(o, REPR) == expected
    assert text.value(o) == "<app.Shown>"
    assert text.value(o, OFF) == ""


def test_repr_mode_reaches_into_containers(text: Any) -> None:
    assert text.value([with_repr(lambda _self: "here")], REPR) == "[here]"
    assert text.value("x" * 10**7, REPR) == text.value("x" * 10**7)


@pytest.mark.parametrize("o", [2**200, [2**2000], "é\x80", "x" * 500, {1.5}, {"é": ()}], ids=ascii)
def test_pending_signals_stay_pending(text: Any, o: object) -> None:
    handled: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: handled.append(number))
    try:
        _, handler_ran = text.value_while_signalled(o, handled)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not handler_ran
    assert handled == [signal.SIGUSR1]


def test_no_reference_is_kept_or_lost(text: Any) -> None:
    class Thing:
        def method(self) -> None: ...

    module_name, method_name = "module".upper(), "method".upper()  # not constants: those live on
    Thing.__module__ = Thing.method.__module__ = module_name
    Thing.method.__qualname__ = method_name
    item, error = Thing(), BoomError("text" * 100)
    key, number, wide = "key" * 100, 2**300, "é" * 300
    values = [
        [item],
        (item,),
        {key: item},
        {item},
        frozenset({item}),
        [number],
        [wide],
        item,
        Thing,
    ]
    callables = [item.method, Thing.method, Thing, [].append, list.append, len, item]
    watched = [item, Thing, Thing.method, error, error.args, key, number, wide]
    watched += [BoomError, method_name, module_name, *values, *callables]
    failing = with_repr(raising(error))

    def run() -> None:
        for value in values:
            text.value(value)
            text.value(value, REPR)
        for o in callables:
            text.callable(o)
        text.exception(error)
        text.exception(BoomError)
        text.name(wide, 100)
        text.value(failing, REPR)
        error.__traceback__ = None

    run()
    gc.collect()
    counts, blocks = [sys.getrefcount(o) for o in watched], sys.getallocatedblocks()
    for _ in range(200):
        run()
    gc.collect()
    assert [sys.getrefcount(o) for o in watched] == counts
    assert sys.getallocatedblocks() - blocks < 100


def test_objects_die_when_the_program_lets_them_go(text: Any) -> None:
    died: list[bool] = []
    cls = type("Mortal", (), {"__del__": lambda _self: died.append(True)})
    o = [cls()]
    text.value(o)
    assert not died
    o.clear()
    assert died


def test_an_exception_being_handled_stays(text: Any) -> None:
    try:
        raise BoomError("handled")
    except BoomError as error:
        text.value([object(), "\udc80", 2**3000])
        text.value(with_repr(raising(ValueError())), REPR)
        text.exception(error)
        handled = error
        still_handled = sys.exception()
    assert still_handled is handled
    assert handled.__context__ is None


def test_near_the_recursion_limit(text: Any) -> None:
    results: list[str] = []

    def dive() -> None:
        results.append(text.value(["é", 2**100, 1.5, {1}, Outer]))
        dive()

    with pytest.raises(RecursionError):
        dive()
    assert ast.literal_eval(results[0].rsplit(", ", 1)[0] + "]") == ["é", 2**100, 1.5, {1}]
    assert set(results) == {results[0]}
