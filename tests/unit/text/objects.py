# SPDX-License-Identifier: Apache-2.0
"""What the tests show to text.c: plain objects, and some that report whoever runs their code."""

from collections import namedtuple
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

TEXT_MAX = 200  # bytes of text.h
SAFE, REPR, OFF = range(3)  # enum text_mode
MODULE = __name__

user_code_ran: list[str] = []


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


def trap(name: str) -> Callable[..., NoReturn]:
    def method(*_args: object, **_kwargs: object) -> NoReturn:
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


class Str(str):
    __str__ = __repr__ = __eq__ = __hash__ = __len__ = trap("str")


class BoomError(Exception):
    pass


class SecretiveError(Exception):
    args = property(trap("args"))
    __getattribute__ = trap("__getattribute__")
    __str__ = __repr__ = trap("__str__")


def with_repr(method: Callable[[Any], Any]) -> object:
    return type("Shown", (), {"__repr__": method, "__module__": "app"})()


def raising(error: BaseException) -> Callable[[Any], NoReturn]:
    def method(_self: object) -> NoReturn:
        raise error

    return method
