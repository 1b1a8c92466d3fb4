# SPDX-License-Identifier: Apache-2.0
"""text_callable, text_exception, text_name, and the type that stands for any other object."""

import functools
import json
import re
import signal
import time
import types
from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.text.objects import (
    MODULE,
    TEXT_MAX,
    BoomError,
    Outer,
    Point,
    SecretiveError,
    Str,
    generator,
    hostile,
    lying_class,
    trap,
)

# Objects that are not plain


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (object(), "<builtins.object>"),
        (generator(), "<builtins.generator>"),
        (1j, "<builtins.complex>"),
        (range(3), "<builtins.range>"),
        (bytearray(b"x"), "<builtins.bytearray>"),
        (len, "<builtins.builtin_function_or_method>"),
        (generator, "<builtins.function>"),
        (int, "<builtins.type>"),
        (Outer.Inner(), f"<{MODULE}.Outer.Inner>"),
        (Point(1, 2), f"<{MODULE}.Point>"),
        (OrderedDict(a=1), "<collections.OrderedDict>"),
        (ValueError("x"), "<builtins.ValueError>"),
        (functools.partial(len), "<functools.partial>"),
        (re, "<builtins.module>"),
        (signal.SIGINT, "<signal.Signals>"),
    ],
    ids=str,
)
def test_other_objects_are_their_type(text: Any, o: object, expected: str) -> None:
    assert text.value(o) == expected
    assert text.value([o]) == f"[{expected}]"


@pytest.mark.parametrize(
    "base", [object, int, float, str, bytes, list, tuple, dict, set, frozenset, Exception]
)
def test_hostile_classes_are_not_asked(text: Any, base: type) -> None:
    cls = hostile("Evil", base)
    make: Any = base.__new__
    o = make(cls)
    for value in (o, [o], (o,), {1: o}):
        assert "<app.evil.Evil>" in text.value(value)
    assert text.value(cls) == "<?.HostileMeta>"
    assert text.callable(cls) == "app.evil.Evil"
    assert text.callable(o) == "<app.evil.Evil>"
    assert text.exception(cls) == ("app.evil.Evil" if base is Exception else "<?.HostileMeta>")


def test_class_property_is_not_believed(text: Any) -> None:
    assert text.value(lying_class()) == "<app.Liar>"
    assert text.callable(lying_class()) == "<app.Liar>"
    assert text.exception(lying_class()) == "<app.Liar>"


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (7, "?.Odd"),
        (None, "?.Odd"),
        (property(trap("__module__")), "?.Odd"),
        ("", ".Odd"),
        ("a\udc80\x00b", r"a\udc80\x00b.Odd"),
        pytest.param(Str("sub"), "sub.Odd", id="subclass"),
    ],
    ids=ascii,
)
def test_odd_modules_of_classes(text: Any, module: object, expected: str) -> None:
    cls = type("Odd", (), {"__module__": module})
    assert text.value(cls()) == f"<{expected}>"
    assert text.callable(cls) == expected


def test_odd_names_of_classes(text: Any) -> None:
    cls = type("Plain", (), {"__module__": "m", "__qualname__": Str("Fancy")})
    assert text.value(cls()) == "<m.Fancy>"
    cls = type("L" * 10**6, (), {"__module__": "m"})
    assert text.value(cls()) == "<m." + "L" * 194 + "..."


# Callables


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (generator, f"{MODULE}.generator"),
        (json.dumps, "json.dumps"),
        (Outer.Inner.method, f"{MODULE}.Outer.Inner.method"),
        (Outer.Inner().method, f"{MODULE}.Outer.Inner.method"),
        (Outer.Inner.of_class, f"{MODULE}.Outer.Inner.of_class"),
        (Outer.Inner.static, f"{MODULE}.Outer.Inner.static"),
        (trap("x"), f"{MODULE}.trap.<locals>.method"),
        (Outer.Inner, f"{MODULE}.Outer.Inner"),
        (int, "builtins.int"),
        (OrderedDict, "collections.OrderedDict"),
        (len, "builtins.len"),
        (time.sleep, "time.sleep"),
        ([].append, "builtins.list.append"),
        (list.append, "builtins.list.append"),
        (str.upper, "builtins.str.upper"),
        (OrderedDict().get, "collections.OrderedDict.get"),
        (dict.fromkeys, "builtins.dict.fromkeys"),
        (OrderedDict.fromkeys, "collections.OrderedDict.fromkeys"),
        (dict.__dict__["fromkeys"], "builtins.dict.fromkeys"),
        (object.__new__, "builtins.object.__new__"),
        (int.__add__, "builtins.int.__add__"),
        ((1).__add__, "builtins.int.__add__"),
        (re.compile("x").match, "re.Pattern.match"),
        # A module of its own from 3.15.
        (str.maketrans, f"{str.maketrans.__module__ or '?'}.maketrans"),
        (types.MethodType(types.MethodType(generator, 1), 2), f"{MODULE}.generator"),
        (types.MethodType(functools.partial(len), 1), "<functools.partial>"),
        (types.MethodType(len, []), "builtins.len"),
        (functools.partial(len), "<functools.partial>"),
        (Outer.Inner(), f"<{MODULE}.Outer.Inner>"),
        (None, "<builtins.NoneType>"),
        (3, "<builtins.int>"),
    ],
    ids=str,
)
def test_callables(text: Any, o: object, expected: str) -> None:
    assert text.callable(o) == expected


def test_builtin_methods_of_hostile_classes(text: Any) -> None:
    cls = hostile("Evil", dict)
    o: Any = dict.__new__(cls)
    bound = dict.get.__get__(o)
    assert text.callable(bound) == "app.evil.Evil.get"
    assert text.callable(dict.__dict__["fromkeys"].__get__(None, cls)) == "app.evil.Evil.fromkeys"
    assert text.callable(dict.__len__.__get__(o)) == "builtins.dict.__len__"


def test_functions_with_odd_names(text: Any) -> None:
    def function() -> None: ...

    function.__qualname__ = "q\udc80\x00" + "x" * 10**6
    function.__module__ = None  # type: ignore[assignment]
    result = text.callable(function)
    assert result.startswith(r"?.q\udc80\x00xxx")
    assert len(result) == TEXT_MAX
    function.__module__ = Str("m")
    function.__qualname__ = Str("n")
    assert text.callable(function) == "m.n"
    del function.__module__
    assert text.callable(function) == "?.n"


def test_endless_methods_of_methods(text: Any) -> None:
    method: Any = generator
    for _ in range(10_000):
        method = types.MethodType(method, 1)
    assert text.callable(method) == "<builtins.method>"


# Exceptions


@pytest.mark.parametrize(
    ("o", "expected"),
    [
        (ValueError("bad"), "ValueError: bad"),
        (ValueError("bad", 1), "ValueError: bad"),
        (ValueError(), "ValueError"),
        (ValueError(""), "ValueError"),
        (ValueError(3), "ValueError"),
        pytest.param(ValueError(Str("x")), "ValueError", id="subclass"),
        (KeyError("key"), "KeyError: key"),
        (OSError(2, "No such file"), "FileNotFoundError"),
        (ValueError("a\x00b\udc80é"), r"ValueError: a\x00b\udc80é"),
        (ValueError("\x1b[2J\n"), r"ValueError: \x1b[2J\x0a"),
        (BoomError("x"), f"{MODULE}.BoomError: x"),
        pytest.param(SecretiveError("secret"), f"{MODULE}.SecretiveError: secret", id="secretive"),
        (BoomError, f"{MODULE}.BoomError"),
        (ValueError, "ValueError"),
        (
            json.JSONDecodeError("no", "", 0),
            "json.decoder.JSONDecodeError: no: line 1 column 1 (char 0)",
        ),
        (ExceptionGroup("several", [ValueError()]), "ExceptionGroup: several"),
        (None, "<builtins.NoneType>"),
        (int, "<builtins.type>"),
        ("text", "<builtins.str>"),
    ],
    ids=ascii,
)
def test_exceptions(text: Any, o: object, expected: str) -> None:
    assert text.exception(o) == expected


def test_exception_with_huge_text(text: Any) -> None:
    assert text.exception(ValueError("é" * 10**7)) == "ValueError: " + "é" * 92 + "..."


def test_exception_with_args_set_later(text: Any) -> None:
    o = ValueError("first")
    o.args = ("later",)
    assert text.exception(o) == "ValueError: later"
    o.args = ()
    assert text.exception(o) == "ValueError"


# Names


@pytest.mark.parametrize(
    ("o", "size", "expected"),
    [
        ("main", 64, "main"),
        ("", 64, ""),
        ("naïve", 64, "naïve"),
        ("a\x00b\udcff", 64, r"a\x00b\udcff"),
        ("\x1b[2J\r\n\x9b\u2028", 64, r"\x1b[2J\x0d\x0a\x9b\u2028"),
        ("x" * 63, 64, "x" * 63),
        ("x" * 64, 64, "x" * 60 + "..."),
        ("é" * 32, 64, "é" * 30 + "..."),
        ("x" * 450, 1024, "x" * 450),
        ("€" * 300, 1024, "€" * 300),
        ("x" * 10**7, 1024, "x" * 1020 + "..."),
        pytest.param(Str("sub"), 64, "sub", id="subclass"),
        ("abc", 4, "abc"),
        ("abcd", 4, "..."),
        ("abcd", 3, ".."),
        ("abcd", 1, ""),
        (b"bytes", 64, "?"),
        (None, 64, "?"),
    ],
    ids=lambda o: ascii(o)[:12],
)
def test_names(text: Any, o: object, size: int, expected: str) -> None:
    assert text.name(o, size) == expected


@given(st.text(st.characters(codec=None)), st.integers(1, 300))
def test_any_name(text: Any, o: str, size: int) -> None:
    controls = "".join(map(chr, [*range(32), *range(127, 160), 0x2028, 0x2029]))
    escapes = {ord(c): rf"\x{ord(c):02x}" if c < "\xff" else rf"\u{ord(c):04x}" for c in controls}
    whole = o.translate(escapes).encode("utf-8", "backslashreplace")
    result = text.name(o, size).encode()
    assert len(result) < size
    if len(whole) < size:
        assert result == whole
    elif size > 3:
        assert result.endswith(b"...")
        assert whole.startswith(result[:-3])
