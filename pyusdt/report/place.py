# SPDX-License-Identifier: Apache-2.0
"""Where a function is, as short as a reader needs it: the whole path is in JSON and CSV."""

import os
import re
from functools import cache

from pyusdt.recording import CodeRecord
from pyusdt.report.text import printable

_LIBRARIES = re.compile(r".*/(?:(?:site|dist)-packages|lib(?:64)?/python\d[^/]*)/(.+)", re.DOTALL)


def place(record: CodeRecord) -> str:
    """`file:line`; "C" for a function in C."""
    if not record.file:
        return "" if record.line else "C"
    return f"{printable(_short(record.file, record.module), 80)}:{record.line}"


def _short(file: str, module: str) -> str:
    """The path below the directory of libraries, or below this one, or below the one from which the
    module was imported."""
    library = _LIBRARIES.fullmatch(file)
    if library:
        return library[1]
    here = _here()
    if here and file.startswith(here):
        return file[len(here) :]
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
