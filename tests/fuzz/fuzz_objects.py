# SPDX-License-Identifier: Apache-2.0
"""Objects from bytes, for fuzz_text.c: make() them, and some of the texts that are expected()."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from types import FunctionType, MethodType

user_code_ran: list[str] = []

CONSTANTS = (None, True, False, ..., NotImplemented)
CALLABLES = (len, [].append, str.join, "".join, dict.fromkeys, int, partial(len), super, type.mro)
ERRORS = (Exception, KeyError, OSError, StopIteration, ExceptionGroup, KeyboardInterrupt)
BASES = (object, int, str, bytes, list, dict, tuple, set, Exception, type)
LOOKS = """__repr__ __str__ __eq__ __hash__ __bool__ __len__ __iter__ __index__ __int__ __bytes__
    __getattr__ __getattribute__ __instancecheck__ __get__ __contains__ __getitem__ __format__
    __call__ __next__ __float__ __dir__""".split()
DEEPEST = 5
SHOWN_LEVELS = 3


class Input:
    """The bytes that are left; zeros after the last."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, n: int) -> bytes:
        taken = self._data[self._at : self._at + n]
        self._at += n
        return taken

    def byte(self) -> int:
        return next(iter(self.take(1)), 0)


def loud(name: str) -> Callable[..., object]:
    """A method that notes that it was called, and fails."""

    def method(*args: object, **kwargs: object) -> object:
        user_code_ran.append(name)
        raise RuntimeError(name)

    return method


def integer(data: Input, depth: int) -> int:
    return int.from_bytes(data.take(data.byte() * 2), "little", signed=True)


def text(data: Input, depth: int = 0) -> str:
    kind, length = divmod(data.byte(), 64)
    encoding = ("utf-8", "latin-1", "utf-16-le", "utf-32-le")[kind]
    errors = "surrogateescape" if kind < 2 else "surrogatepass"
    times = 1 + data.byte() % 4
    try:
        return data.take(length).decode(encoding, errors) * times
    except UnicodeDecodeError:
        return "\ud800"


def number(data: Input, depth: int) -> float:
    return float(struct.unpack("d", data.take(8).ljust(8, b"\0"))[0])


def items(data: Input, depth: int) -> list[object]:
    return [value(data, depth - 1) for _ in range(data.byte() % 8)]


def hashable(data: Input, depth: int) -> list[object]:
    plain = (int, str, bytes, float, bool)
    return [item if type(item) in plain else id(item) for item in items(data, depth)]


def within_itself(data: Input, depth: int) -> object:
    inner = items(data, depth)
    inner.append({0: inner})
    return inner


def function(data: Input, depth: int) -> object:
    made = FunctionType((lambda: 0).__code__, {}, text(data))
    made.__qualname__ = text(data)
    made.__module__ = value(data, depth - 1)  # type: ignore[assignment]
    return MethodType(made, 0) if data.byte() % 2 else made


def thing(data: Input, depth: int) -> object:
    """An object of a class of its own, or the class."""
    base = BASES[data.byte() % len(BASES)]
    namespace = {name: loud(name) for name in LOOKS if name != "__hash__" or base is not type}
    named = {"__module__": value(data, depth - 1), "__qualname__": text(data), "__doc__": None}
    name = text(data).encode("utf-8", "replace").decode().replace("\0", "")
    if base is type:
        return type("Meta", (type,), namespace)(name, (), named)
    made = type(name, (base,), namespace | named)
    return made if data.byte() % 2 else base.__new__(made)


def error(data: Input, depth: int) -> object:
    kind = ERRORS[data.byte() % len(ERRORS)]
    if kind is ExceptionGroup:
        return ExceptionGroup(text(data), [ValueError(text(data))])
    arguments = items(data, depth)
    if data.byte() % 8 == 0:
        return kind
    try:
        return kind(*arguments)
    except RuntimeError:  # OSError hashes its number
        return kind


MAKERS: tuple[Callable[[Input, int], object], ...] = (
    lambda data, depth: CONSTANTS[data.byte() % len(CONSTANTS)],
    integer,
    text,
    lambda data, depth: data.take(data.byte()),
    number,
    items,
    lambda data, depth: tuple(items(data, depth)),
    lambda data, depth: dict.fromkeys(hashable(data, depth), value(data, depth - 1)),
    lambda data, depth: set(hashable(data, depth)),
    lambda data, depth: frozenset(hashable(data, depth)),
    within_itself,
    lambda data, depth: CALLABLES[data.byte() % len(CALLABLES)],
    function,
    thing,
    error,
)


def value(data: Input, depth: int) -> object:
    return MAKERS[data.byte() % len(MAKERS)](data, depth) if depth else None


def make(data: bytes) -> object:
    made = value(Input(data), DEEPEST)
    user_code_ran.clear()
    return made


def levels(o: object) -> float:
    """How deep containers are in each other; infinite where repr() is not to be compared with."""
    if type(o) in (list, tuple, set, frozenset):
        inner = list(o)  # type: ignore[call-overload]
    elif type(o) is dict:
        inner = [*o.keys(), *o.values()]
    elif type(o) is int:
        return 0 if o.bit_length() <= 2048 else float("inf")
    else:
        plain = type(o) in (str, bytes, float) or any(o is c for c in CONSTANTS)
        return 0 if plain else float("inf")
    return 1 + max(map(levels, inner), default=0)


def expected(o: object) -> str | None:
    """The text of `o`, where it is short and plain: its repr()."""
    try:
        shown = repr(o) if levels(o) <= SHOWN_LEVELS else None
    except RecursionError:
        return None
    return shown if shown is not None and len(shown.encode()) <= 200 else None
