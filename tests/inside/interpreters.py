# SPDX-License-Identifier: Apache-2.0
"""Imported by an observed program: code in a new interpreter."""

from __future__ import annotations

import importlib
import sys

# Each version of Python has another API for it.
_interpreters = importlib.import_module(
    "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
)


def run(source: str, legacy: bool) -> None:
    """Run it in a new interpreter, which shares our GIL if it is a legacy one."""
    if sys.version_info >= (3, 13):
        interpreter = _interpreters.create("legacy" if legacy else "isolated")
        failure = _interpreters.exec(interpreter, source)
        assert failure is None, failure.formatted
    else:
        interpreter = _interpreters.create(isolated=not legacy)
        _interpreters.run_string(interpreter, source)
    _interpreters.destroy(interpreter)
