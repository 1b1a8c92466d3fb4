# SPDX-License-Identifier: Apache-2.0
"""The source lines of functions, where their files are here and may be read: see sources.py."""

import inspect
import io
import tokenize
from collections.abc import Iterator

from pyusdt.recording import CodeRecord, Recording
from pyusdt.report.sources import MOST_READ, RefusedError, is_foreign, read
from pyusdt.report.text import printable

_MOST_PARSED = 4_000_000  # characters, of all functions together: after that, one line of each
_MOST_LINES = 80
_LONGEST_LINE = 1_000  # no Python that people write


class Sources:
    """Reads the sources of a recording's functions, and keeps account of the files."""

    def __init__(self, recording: Recording) -> None:
        self.embedded: list[str] = []
        """Files of which lines are shown."""
        self.refused: dict[str, str] = {}
        """Files that are here and were left out, and why."""
        self._foreign = is_foreign(recording.path)
        self._may_read = MOST_READ
        self._may_parse = _MOST_PARSED

    def blocks(self, records: dict[int, CodeRecord]) -> Iterator[tuple[int, str]]:
        """The lines of each of these functions that has any: the block at its line, 80 at most."""
        files: dict[str, list[int]] = {}
        for index, record in records.items():
            files.setdefault(record.file, []).append(index)
        for file, indexes in files.items():
            lines = self._lines(file)
            found = [(i, self._block(lines, records[i].line)) for i in indexes] if lines else []
            if any(text for _, text in found):
                self.embedded.append(file)
            yield from ((index, text) for index, text in found if text)

    def _lines(self, file: str) -> list[str]:
        try:
            data = read(file, self._foreign, self._may_read)
        except RefusedError as why:
            self.refused[file] = str(why)
            return []
        except (OSError, ValueError):  # not here, or no path at all
            return []
        self._may_read -= len(data)
        with io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", "replace") as text:
            return text.readlines()

    def _block(self, lines: list[str], line: int) -> str:
        if not 0 < line <= len(lines):
            return ""
        ahead = lines[line - 1 : line - 1 + 10 * _MOST_LINES]
        if self._may_parse <= 0 or max(map(len, ahead)) > _LONGEST_LINE:
            return shown(ahead[0])
        try:
            block = parsed = inspect.getblock(ahead)
        except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
            block, parsed = ahead[:1], ahead  # no Python, or cut in the middle
        self._may_parse -= sum(map(len, parsed))
        return "".join(map(shown, block[:_MOST_LINES]))


def shown(line: str) -> str:
    """A line without what changes how others are shown: controls, and marks of direction."""
    text = line.rstrip("\n")
    return "\t".join(printable(part, _LONGEST_LINE) for part in text.split("\t")) + "\n"
