# SPDX-License-Identifier: Apache-2.0
"""text_value without user code: what is shown, and where it is cut."""

import re
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.text.objects import OFF, REPR, TEXT_MAX


def short(o: object) -> bool:
    try:
        return len(repr(o).encode("utf-8", "backslashreplace")) <= TEXT_MAX
    except ValueError:  # an int with too many digits
        return False


@pytest.mark.parametrize(
    "o",
    [
        *(None, True, False, ..., NotImplemented, 0, 1, -1, 10, -(2**31), 2**63 - 1, -(2**63)),
        *(2**63, 2**64, -(2**63) - 1, 10**27, 10**18 + 1, -(10**36), 2**600, -(2**600)),
        *(0.0, -0.0, 1.5, 1e100, 0.1, float("inf"), float("-inf"), float("nan"), 1e16, 5e-324),
        *("", "a", "it's", 'say "hi"', 'it\'s "both"', "\\", "tab\t\n\r\x00\x1b\x7f", "ä€😀"),
        *("\udc80", "a\ud800b'", "\x80\xa0\xad\u2028\ue000\U0010ffff", "é'", "é'\""),
        *(b"", b"a", b"it's", b'it\'s "both"', bytes(range(32)), b"\x7f\x80\xff\\"),
        *([], [1], (), (1,), (1, 2), {}, {"a": [1.5]}, set(), {1}, frozenset(), frozenset({"x"})),
        *([[[1]]], (((),),), {1: {2: {3: b"x"}}}, [[[[]]]], [[[{}]]], [{(1, 2): {3}}]),
        *({"\udc80": "\ud800", "k\x00": None}, [set(), frozenset()], {1: True, None: ...}),
    ],
    ids=ascii,
)
def test_plain_values_look_like_their_repr(text: Any, o: object) -> None:
    expected = repr(o)
    assert text.value(o) == expected
    assert text.value(o, REPR) == expected
    assert text.value(o, OFF) == ""


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**700), max_value=2**700)
    | st.floats()
    | st.text(st.characters(codec=None), max_size=40)
    | st.binary(max_size=30)
    | st.just(...)
)
HASHABLE = SCALARS | st.tuples(SCALARS) | st.frozensets(SCALARS, max_size=3)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(HASHABLE, inner, max_size=3)
        | st.sets(SCALARS, max_size=4)
        | st.frozensets(SCALARS, max_size=4)
    )


@given(st.recursive(SCALARS, containers, max_leaves=20))
def test_any_plain_value(text: Any, o: object) -> None:
    result = text.value(o)
    assert len(result.encode()) <= TEXT_MAX
    assert "\x00" not in result
    if short(o) and depth(o) <= 3:
        assert result == repr(o)
    elif depth(o) <= 3:
        start = repr(o).encode("utf-8", "backslashreplace")[: TEXT_MAX - 3].decode(errors="ignore")
        assert result.endswith("...")
        assert start.startswith(result[:-3])


def depth(o: object) -> int:
    if isinstance(o, dict):
        return 1 + max((max(depth(k), depth(v)) for k, v in o.items()), default=-1)
    if isinstance(o, list | tuple | set | frozenset):
        return 1 + max(map(depth, o), default=-1)
    return 0


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        ([[[[1]]]], "[[[[...]]]]"),
        (((((1,),),),), "((((...),),),)"),
        ({1: {2: {3: {4: 5}}}}, "{1: {2: {3: {...}}}}"),
        ([[[{1}]]], "[[[{...}]]]"),
        ([[[frozenset({1})]]], "[[[frozenset({...})]]]"),
        (
            {frozenset({frozenset({frozenset({1})})})},
            "{frozenset({frozenset({frozenset({...})})})}",
        ),
    ],
)
def test_deeper_than_three_is_dots(text: Any, o: object, expected: str) -> None:
    assert text.value(o) == expected


def test_containers_that_hold_themselves(text: Any) -> None:
    a: list[Any] = []
    a.append(a)
    d: dict[str, Any] = {}
    d["d"] = d
    assert text.value(a) == "[[[[...]]]]"
    assert text.value(d) == "{'d': {'d': {'d': {...}}}}"


def test_monitoring_missing_is_told_apart_from_an_object(text: Any) -> None:
    assert text.value(sys.monitoring.MISSING) == "<MISSING>"
    assert text.value([sys.monitoring.MISSING]) == "[<MISSING>]"
    assert text.value(sys.monitoring.MISSING, REPR) == "<MISSING>"


def test_null_is_empty(text: Any) -> None:
    assert text.nulls() == ("", "", "", "?")


# Cuts and sizes


def test_exactly_200_bytes_are_not_cut(text: Any) -> None:
    assert text.value("x" * 198) == repr("x" * 198)
    assert text.value("x" * 199) == "'" + "x" * 196 + "..."
    assert text.value(b"x" * 197) == repr(b"x" * 197)
    assert text.value(b"x" * 198) == "b'" + "x" * 195 + "..."


@pytest.mark.parametrize("shift", range(4))
def test_a_cut_keeps_characters_whole(text: Any, shift: int) -> None:
    for character in "é€😀":
        result = text.value("x" * shift + character * 300)
        assert re.fullmatch(f"'x{{{shift}}}{character}+\\.\\.\\.", result)
        assert len(result.encode()) > TEXT_MAX - 4


@pytest.mark.parametrize(
    ("o", "start"),
    [
        ("x" * 10**7, "'xxx"),
        ("é" * 10**7, "'ééé"),
        ("\udc80" * 10**6, r"'\udc80\udc80"),
        (b"\x00" * 10**7, r"b'\x00"),
        ([1] * 10**6, "[1, 1"),
        ((None,) * 10**6, "(None, None"),
        (dict.fromkeys(range(10**6)), "{0: None"),
        (set(range(10**6)), "{0, 1"),
        (frozenset(range(10**6)), "frozenset({0, 1"),
        ([[[0] * 10**4] * 10**4] * 10**4, "[[[0, 0"),
    ],
    ids=lambda o: str(o)[:8] if isinstance(o, str) else type(o).__name__,
)
def test_size_does_not_matter(text: Any, o: object, start: str) -> None:
    begin = time.process_time()
    for _ in range(100):
        result = text.value(o)
    assert time.process_time() - begin < 0.1  # 100 texts; one walk through all would not do
    assert result.startswith(start)
    assert result.endswith("...")
    assert TEXT_MAX - 3 <= len(result.encode()) <= TEXT_MAX


def test_no_second_copy_is_kept_in_a_str(text: Any) -> None:
    o = "é" * 150
    before = sys.getsizeof(o)
    text.value(o)
    text.name(o, 100)
    assert sys.getsizeof(o) == before


def test_large_ints_do_not_depend_on_the_digits_limit(text: Any) -> None:
    digits = repr(2**2048 - 1)
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert text.value(2**2048 - 1) == digits[:197] + "..."
        assert text.value(1 - 2**2048) == "-" + digits[:196] + "..."
        assert text.value(2**2048) == "<int of 2049 bits>"
        assert text.value([-(2**10**6)]) == "[<int of 1000001 bits>]"
        assert text.value(2**10**6, REPR) == "<int of 1000001 bits>"
    finally:
        sys.set_int_max_str_digits(limit)
