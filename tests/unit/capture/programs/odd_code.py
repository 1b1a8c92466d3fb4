# SPDX-License-Identifier: Apache-2.0
"""What PY_START says of code whose names no source could have: [function, file, qualname, id]."""

from __future__ import annotations

import json
from types import FunctionType

import heard

heard.up("PY_START")
import pyusdt


def template() -> None:
    pass


def run(function: str, file: str, qualname: str) -> None:
    code = template.__code__.replace(co_name=function, co_filename=file, co_qualname=qualname)
    FunctionType(code, {"__name__": "odd"})()


run("<odd> 'name\"", "<odd: ünï\n'file'>", "größe.<locals>.✓")
run("nul\0inside", "/tmp/nul\0inside.py", "a\0b")
run("lone\udc80", "\ud800/file", "\udfff")
run("", "", "")
run("n" * (1 << 20), "f" * (1 << 20), "ü" * (1 << 20))
run("n" * (1 << 20), "f" * (1 << 20), "ü" * (1 << 20))
exec(compile("def made(): pass\nmade()", "<odd: exec>", "exec"), {"__name__": "odd"})
heard.down("PY_START")
hits = [[hit[1], hit[2], hit[5], hit[6]] for hit in heard.hits()]
first = [hit[0] for hit in hits].index("run")
print(json.dumps([hit for hit in hits[first:] if hit[0] not in ("run", "down")]))
