# SPDX-License-Identifier: Apache-2.0
"""Methods that are generated have one name and place; what was recorded says whose they are."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections import namedtuple
from dataclasses import dataclass

from conftest import missing

import pyusdt


@dataclass
class First:
    x: int = 0


@dataclass
class Second:
    y: int = 0


class Below(First):
    def __init__(self) -> None:
        super().__init__(1)


@dataclass
class Derived(First):
    z: int = 0

    @dataclass(frozen=True, eq=False)
    class Inner:
        x: int = 0


Pair = namedtuple("Pair", "a b")
Other = namedtuple("Other", "a b")


def calls() -> None:
    for _ in range(10):
        First()
    for _ in range(20):
        Second()
    Below()
    Derived()
    Derived.Inner()
    assert First() == First()
    assert Second(1) != Second()
    Pair(1, 2)
    Other(1, 2)


def test_methods_of_dataclasses_are_told_apart() -> None:
    with pyusdt.record() as recording:
        calls()
    found = {f.record.qualname: f.calls for f in recording.functions if f.record.file == "<string>"}
    generated = {name: n for name, n in found.items() if "lambda" not in name}
    assert generated == {
        "First.__init__": 13,
        "First.__eq__": 1,
        "Second.__init__": 22,
        "Second.__eq__": 1,
        "Derived.__init__": 1,
        "Derived.Inner.__init__": 1,
    }


def test_methods_of_attrs_are_too() -> None:
    if importlib.util.find_spec("attrs") is None:
        missing("attrs is not installed")
    attrs = importlib.import_module("attrs")
    one, other = (attrs.make_class(name, ["x"]) for name in ("One", "Other"))
    with pyusdt.record() as recording:
        for n in range(5):
            one(n)
        assert other(1) == other(1)
    found = {f.record.qualname: f.calls for f in recording.functions}
    assert found["One.__init__"] == 5
    assert found["Other.__init__"] == 2


def test_named_tuples_are_told_apart_by_their_module() -> None:
    with pyusdt.record() as recording:
        calls()
    modules = {f.record.module for f in recording.functions if f.record.qualname == "<lambda>"}
    assert {"namedtuple_Pair", "namedtuple_Other"} <= modules


def test_the_references_of_an_argument_are_given_back() -> None:
    @dataclass
    class Holder:
        held: object

    held = object()
    before = sys.getrefcount(held)
    with pyusdt.record():
        Holder(held)
    assert sys.getrefcount(held) == before
