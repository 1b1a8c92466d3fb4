# SPDX-License-Identifier: Apache-2.0
"""The source lines of a function, where its file is here.

A recording may come from elsewhere and name any file, and pages are passed on: only Python sources
are ever read.
"""

import inspect
import os
import tokenize

_LARGEST_FILE = 2_000_000
_MOST_LINES = 80


class Sources:
    """Files that were read, each once."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def lines(self, file: str, line: int) -> str:
        """The block that begins at `line` (from 1), cut at 80 lines; "" if there is none."""
        lines = self._files.get(file)
        if lines is None:
            lines = self._files[file] = _read(file)
        if not 0 < line <= len(lines):
            return ""
        try:
            block = inspect.getblock(lines[line - 1 :][: 10 * _MOST_LINES])
        except (tokenize.TokenError, SyntaxError, ValueError):  # no Python, or cut in the middle
            block = lines[line - 1 : line]
        return "".join(block[:_MOST_LINES])


def _read(file: str) -> list[str]:
    if not file.endswith((".py", ".pyw")):
        return []
    try:
        if not os.path.isfile(file) or os.path.getsize(file) > _LARGEST_FILE:
            return []
        with tokenize.open(file) as stream:
            return stream.readlines()
    except (OSError, SyntaxError, UnicodeError, ValueError):
        return []
