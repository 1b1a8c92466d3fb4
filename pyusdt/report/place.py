# SPDX-License-Identifier: Apache-2.0
"""Where a function is, as short as a reader needs it: the whole path is in JSON and CSV."""

import os
import re
from collections.abc import Sequence
from functools import cache

from pyusdt.recording import CodeRecord, Recording
from pyusdt.report.text import printable

_LIBRARIES = re.compile(r".*/(?:(?:site|dist)-packages|lib(?:64)?/python\d[^/]*)/(.+)", re.DOTALL)


def roots(recording: Recording) -> tuple[str, ...]:
    """The directories below which its processes had their modules and themselves, the longest
    first. Where they are not known, none."""
    paths = {path.rstrip("/") + "/" for process in recording.processes for path in process.paths}
    return tuple(sorted((p for p in paths if len(p) > 1 and p[0] == "/"), key=len, reverse=True))


def place(record: CodeRecord, below: Sequence[str] = ()) -> str:
    """`file:line`, the file relative to the first of `below` that it is in; "C" for a function in
    C."""
    if not record.file:
        return "" if record.line else "C"
    return f"{short_path(record, below)}:{record.line}"


def short_path(record: CodeRecord, below: Sequence[str] = ()) -> str:
    """That of its file, likewise."""
    return printable(_short(record.file, record.module, below), 80)


def _short(file: str, module: str, below: Sequence[str]) -> str:
    """The path below the directory of libraries, or below one of the program's, or below this one,
    or below the one from which the module was imported."""
    library = _LIBRARIES.fullmatch(file)
    if library:
        return library[1]
    for directory in (*below, _here()):
        if directory and len(file) > len(directory) and file.startswith(directory):
            return file[len(directory) :]
    path = module.replace(".", "/")
    for imported in (f"{path}.py", f"{path}/__init__.py"):
        if module and file.endswith(f"/{imported}"):
            return imported
    return file


@cache
def _here() -> str:
    try:
        return os.path.join(os.getcwd(), "")
    except OSError:  # it is gone
        return ""
