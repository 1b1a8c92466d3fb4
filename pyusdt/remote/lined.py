# SPDX-License-Identifier: Apache-2.0
"""Which lines of another process are recorded: what --lines asks for, as its core takes it."""

import os
from collections.abc import Iterator
from contextlib import suppress

from pyusdt.remote import proc
from pyusdt.remote.control_layout import FILTER_SIZE

_PACKAGES = ("/site-packages/", "/dist-packages/")
_EXTENSIONS = "/lib-dynload/"


def wanted(pid: int, python: str, patterns: str) -> tuple[str, str]:
    """The patterns, and the directories whose code has no lines unless a pattern names it. `all` is
    everything, and `*` what is outside of those directories; `python` is the version of Python."""
    parts = patterns.split(",") if patterns else []
    if "all" in parts:
        return "*", ""
    if "*" in parts:
        return ",".join(sorted(parts, key="*".__ne__)), _outside(pid, python)
    return ",".join(parts), ""


def _outside(pid: int, python: str) -> str:
    """The directories of its standard library and of what is installed, as far as they show."""
    text = ""
    with suppress(OSError):
        for path in dict.fromkeys(_directories(pid, python)):
            more = f"{text}:{path}" if text else path
            if ":" not in path and path.isprintable() and len(more.encode()) < FILTER_SIZE:
                text = more
    return text


def _directories(pid: int, python: str) -> Iterator[str]:
    name = "python" + ".".join(python.split(".")[:2])
    program = os.readlink(f"/proc/{pid}/exe")
    yield os.path.join(os.path.dirname(os.path.dirname(program)), "lib", name)
    for mapping in proc.mappings(pid, b".so"):
        path = mapping.path
        for packages in _PACKAGES:
            if packages in path:
                yield path[: path.index(packages) + len(packages) - 1]
        if _EXTENSIONS in path:
            yield path[: path.index(_EXTENSIONS)]
        if os.path.basename(path).startswith("libpython"):
            yield os.path.join(os.path.dirname(path), name)
