# SPDX-License-Identifier: Apache-2.0
"""What PY_RETURN says of values whose printing runs code: {name: text}, and what code ran."""

from __future__ import annotations

import json

import heard

heard.up("PY_RETURN")
import pyusdt

ran: list[str] = []


class Raises:
    def __repr__(self) -> str:
        ran.append("raises")
        raise RuntimeError("no repr")


class Exits:
    def __repr__(self) -> str:
        ran.append("exits")
        raise SystemExit(3)


class Surrogate:
    def __repr__(self) -> str:
        ran.append("surrogate")
        return "lone \udc80 one"


class Long:
    def __repr__(self) -> str:
        ran.append("long")
        return "x" * (10 << 20)


class NotText:
    def __repr__(self) -> str:
        ran.append("not_text")
        return 1  # type: ignore[return-value]


class Subclass(str):
    def __repr__(self) -> str:
        ran.append("subclass")
        return "mine"


class Nul:
    def __repr__(self) -> str:
        ran.append("nul")
        return "a\0b"


def give_raises() -> object:
    return Raises()


def give_exits() -> object:
    return Exits()


def give_surrogate() -> object:
    return Surrogate()


def give_long() -> object:
    return Long()


def give_not_text() -> object:
    return NotText()


def give_subclass() -> object:
    return Subclass("text")


def give_nul() -> object:
    return Nul()


def give_nested() -> object:
    return [1, "a", Surrogate()]


def give_plain() -> object:
    return {"k": (1, 2.5, None, b"b")}


GIVERS = [value for name, value in dict(globals()).items() if name.startswith("give_")]
for give in GIVERS:
    give()
heard.down("PY_RETURN")
texts = {hit[1].removeprefix("give_"): hit[5] for hit in heard.hits() if "give_" in hit[1]}
print(json.dumps({"texts": texts, "ran": ran}))
