# SPDX-License-Identifier: Apache-2.0
"""src/text.c, compiled alone as a small module (text_module.c) against the limited API.

PYUSDT_TEXT_MODULE names a directory where another Python has left its build: the same binary must
work in every version.
"""

import ast
import functools
import gc
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import types
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
TEXT_MAX = 200
SAFE, REPR, OFF = range(3)

user_code_ran: list[str] = []


def build(directory: Path) -> Path:
    library = directory / "text_module.so"
    sources = [Path(__file__).with_name("text_module.c"), *sorted((ROOT / "src").glob("text*.c"))]
    subprocess.run(
        [
            *("gcc", "-std=c11", "-D_GNU_SOURCE", "-DPy_LIMITED_API=0x030C0000"),
            *("-Wall", "-Wextra", "-Werror", "-O2", "-g", "-shared", "-fPIC"),
            *(f"-I{sysconfig.get_path('include')}", "-o", str(library)),
            *map(str, sources),
        ],
        check=True,
    )
    return library


@pytest.fixture(scope="session")
def text(tmp_path_factory: pytest.TempPathFactory) -> Any:
    given_directory = os.environ.get("PYUSDT_TEXT_MODULE")
    library = Path(given_directory or tmp_path_factory.mktemp("text")) / "text_module.so"
    if not library.exists():
        build(library.parent)
    spec = importlib.util.spec_from_file_location("text_module", library)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def no_user_code() -> Iterator[None]:
    user_code_ran.clear()
    yield
    assert user_code_ran == []


def trap(name: str) -> Callable[..., NoReturn]:
    def method(*args: object, **kwargs: object) -> NoReturn:
        user_code_ran.append(name)
        raise BaseException(f"user code: {name}")

    return method


TRAPS = {
    name: trap(name)
    for name in (
        *("__repr__", "__str__", "__eq__", "__hash__", "__len__", "__iter__", "__getitem__"),
        *("__getattr__", "__getattribute__", "__index__", "__int__", "__float__", "__bool__"),
        *("__bytes__", "__format__", "__call__", "__next__", "__contains__", "__bit_length__"),
    )
}


class HostileMeta(type):
    """A class of this class traps whoever asks it anything."""

    def __getattribute__(cls, name: str) -> NoReturn:
        user_code_ran.append(f"metaclass {name}")
        raise BaseException("metaclass asked")

    def __repr__(cls) -> NoReturn:
        user_code_ran.append("metaclass __repr__")
        raise BaseException("metaclass asked")

    __module__ = property(trap("metaclass __module__"))


def hostile(name: str, base: type = object, **more: object) -> type:
    return HostileMeta(name, (base,), {**TRAPS, "__module__": "app.evil", **more})


def lying_class() -> object:
    return type("Liar", (), {"__class__": property(trap("__class__")), "__module__": "app"})()


def short(o: object) -> bool:
    try:
        return len(repr(o).encode("utf-8", "backslashreplace")) <= TEXT_MAX
    except ValueError:  # an int with too many digits
        return False


# Plain values


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
    "o, expected",
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
    "o, start",
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


# Objects that are not plain


def generator() -> Iterator[int]:
    yield 1


Point = namedtuple("Point", "x y")


class Outer:
    class Inner:
        def method(self) -> None: ...

        @classmethod
        def of_class(cls) -> None: ...

        @staticmethod
        def static() -> None: ...


@pytest.mark.parametrize(
    "o, expected",
    [
        (object(), "<builtins.object>"),
        (generator(), "<builtins.generator>"),
        (1j, "<builtins.complex>"),
        (range(3), "<builtins.range>"),
        (bytearray(b"x"), "<builtins.bytearray>"),
        (len, "<builtins.builtin_function_or_method>"),
        (generator, "<builtins.function>"),
        (int, "<builtins.type>"),
        (Outer.Inner(), f"<{__name__}.Outer.Inner>"),
        (Point(1, 2), f"<{__name__}.Point>"),
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


class Str(str):
    __str__ = __repr__ = __eq__ = __hash__ = __len__ = trap("str")


@pytest.mark.parametrize(
    "module, expected",
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
    "o, expected",
    [
        (generator, f"{__name__}.generator"),
        (json.dumps, "json.dumps"),
        (Outer.Inner.method, f"{__name__}.Outer.Inner.method"),
        (Outer.Inner().method, f"{__name__}.Outer.Inner.method"),
        (Outer.Inner.of_class, f"{__name__}.Outer.Inner.of_class"),
        (Outer.Inner.static, f"{__name__}.Outer.Inner.static"),
        (trap("x"), f"{__name__}.trap.<locals>.method"),
        (Outer.Inner, f"{__name__}.Outer.Inner"),
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
        (str.maketrans, "?.maketrans"),
        (types.MethodType(types.MethodType(generator, 1), 2), f"{__name__}.generator"),
        (types.MethodType(functools.partial(len), 1), "<functools.partial>"),
        (types.MethodType(len, []), "builtins.len"),
        (functools.partial(len), "<functools.partial>"),
        (Outer.Inner(), f"<{__name__}.Outer.Inner>"),
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


class Boom(Exception):
    pass


class Secretive(Exception):
    args = property(trap("args"))
    __getattribute__ = trap("__getattribute__")
    __str__ = __repr__ = trap("__str__")


@pytest.mark.parametrize(
    "o, expected",
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
        (Boom("x"), f"{__name__}.Boom: x"),
        pytest.param(Secretive("secret"), f"{__name__}.Secretive: secret", id="secretive"),
        (Boom, f"{__name__}.Boom"),
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


# repr() on demand


def with_repr(method: Callable[[Any], Any]) -> object:
    return type("Shown", (), {"__repr__": method, "__module__": "app"})()


def raising(error: BaseException) -> Callable[[Any], NoReturn]:
    def method(self: object) -> NoReturn:
        raise error

    return method


@pytest.mark.parametrize(
    "method, expected",
    [
        (lambda self: "<shown>", "<shown>"),
        (lambda self: "a\udc80\x00é", r"a\udc80\x00é"),
        (lambda self: "y" * 10**7, "y" * 197 + "..."),
        (lambda self: "€" * 10**6, "€" * 65 + "..."),
        (lambda self: 7, "<repr failed: TypeError>"),
        (lambda self: repr(self), "<repr failed: RecursionError>"),
        (raising(ValueError("x")), "<repr failed: ValueError>"),
        (raising(Boom("x")), f"<repr failed: {__name__}.Boom>"),
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
    assert text.value([with_repr(lambda self: "here")], REPR) == "[here]"
    assert text.value("x" * 10**7, REPR) == text.value("x" * 10**7)


# Names


@pytest.mark.parametrize(
    "o, size, expected",
    [
        ("main", 64, "main"),
        ("", 64, ""),
        ("naïve", 64, "naïve"),
        ("a\x00b\udcff", 64, r"a\x00b\udcff"),
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
    whole = o.encode("utf-8", "backslashreplace").replace(b"\x00", rb"\x00")
    result = text.name(o, size).encode()
    assert len(result) < size
    if len(whole) < size:
        assert result == whole
    elif size > 3:
        assert result.endswith(b"...")
        assert whole.startswith(result[:-3])


# The program that is watched


@pytest.mark.parametrize("o", [2**200, [2**2000], "é\x80", "x" * 500, {1.5}, {"é": ()}], ids=ascii)
def test_pending_signals_stay_pending(text: Any, o: object) -> None:
    handled: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: handled.append(number))
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
    item, error = Thing(), Boom("text" * 100)
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
    watched += [Boom, method_name, module_name, *values, *callables]
    failing = with_repr(raising(error))

    def run() -> None:
        for value in values:
            text.value(value)
            text.value(value, REPR)
        for o in callables:
            text.callable(o)
        text.exception(error)
        text.exception(Boom)
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
    cls = type("Mortal", (), {"__del__": lambda self: died.append(True)})
    o = [cls()]
    text.value(o)
    assert not died
    o.clear()
    assert died


def test_an_exception_being_handled_stays(text: Any) -> None:
    try:
        raise Boom("handled")
    except Boom as error:
        text.value([object(), "\udc80", 2**3000])
        text.value(with_repr(raising(ValueError())), REPR)
        text.exception(error)
        assert sys.exception() is error
        assert error.__context__ is None


def test_near_the_recursion_limit(text: Any) -> None:
    results: list[str] = []

    def dive() -> None:
        results.append(text.value(["é", 2**100, 1.5, {1}, Outer]))
        dive()

    with pytest.raises(RecursionError):
        dive()
    assert ast.literal_eval(results[0].rsplit(", ", 1)[0] + "]") == ["é", 2**100, 1.5, {1}]
    assert set(results) == {results[0]}
