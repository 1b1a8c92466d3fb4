# SPDX-License-Identifier: Apache-2.0
"""Patterns of functions in Python: the cases that C is checked with too, and what is Python's."""

from __future__ import annotations

import re
import time

import pytest
from harness import ROOT

from pyusdt import patterns

CASES = [
    (line.split()[0], re.findall('"([^"]*)"', line))
    for line in (ROOT / "tests/patterns.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def test_the_table() -> None:
    answers = {"yes": True, "no": False}
    for answer, columns in CASES:
        if answer == "bad":
            continue
        only, exclude, module, qualname = columns
        lists = patterns.text("only", only), patterns.text("exclude", exclude)
        for chosen in (patterns.chooser(only, exclude), patterns.chooser(*lists)):
            assert chosen(module, qualname) is answers[answer], columns
    assert {answer for answer, _ in CASES} == {"yes", "no", "bad"}


@pytest.mark.parametrize(("bad", "why"), [columns for answer, columns in CASES if answer == "bad"])
def test_bad_lists_are_named(bad: str, why: str) -> None:
    for given in (bad, [bad], ["fine", bad]):
        with pytest.raises(ValueError, match=f"^--only {re.escape(why)}$"):
            patterns.text("--only", given)


def test_several_lists_are_one() -> None:
    assert patterns.text("only", ["a, b", "c:f"]) == "a,b,c:f"
    assert [patterns.text("only", nothing) for nothing in (None, "", [])] == [""] * 3
    with pytest.raises(ValueError, match=r"^only has an empty pattern$"):
        patterns.text("only", [""])


def test_a_glob_of_other_texts() -> None:
    assert patterns.glob("worker-*")("worker-1")
    assert patterns.glob("[main]")("[main]")
    assert not patterns.glob("[main]")("m")
    assert patterns.glob("?")("\n")


def test_the_worst_pattern_ends_soon() -> None:
    begin = time.monotonic()
    for stars in ("*a" * 400 + "b", "m:" + "*a" * 400 + "b"):
        assert not patterns.chooser(stars, "")("a" * 1000 if stars[0] == "*" else "m", "a" * 1000)
    assert time.monotonic() - begin < 5
