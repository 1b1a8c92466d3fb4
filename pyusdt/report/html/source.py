# SPDX-License-Identifier: Apache-2.0
"""The source lines of functions, where their files are here.

A recording may come from elsewhere and name any file, and pages are passed on. So a file is read
only if nobody but this user or root can have put it where the recording says that it is: `_read`
has the rules. Of a recording that is another user's, only what that user could read is read.
"""

import inspect
import io
import os
import stat
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pyusdt.files import open_regular
from pyusdt.recording import CodeRecord, Recording
from pyusdt.report.text import printable

_LARGEST_FILE = 1_000_000
_MOST_READ = 64_000_000  # bytes, of all files together
_MOST_PARSED = 4_000_000  # characters, of all functions together: after that, one line of each
_MOST_LINES = 80
_LONGEST_LINE = 1_000  # no Python that people write
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class RefusedError(Exception):
    """A file that is there and is not read; the text says why."""


class Sources:
    """Reads the sources of a recording's functions, and keeps account of the files."""

    def __init__(self, recording: Recording) -> None:
        self.embedded: list[str] = []
        """Files of which lines are shown."""
        self.refused: dict[str, str] = {}
        """Files that are here and were left out, and why."""
        self._foreign = _is_foreign(recording.path)
        self._may_read = _MOST_READ
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
            data = _read(file, self._foreign, self._may_read)
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
            return _shown(ahead[0])
        try:
            block = parsed = inspect.getblock(ahead)
        except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
            block, parsed = ahead[:1], ahead  # no Python, or cut in the middle
        self._may_parse -= sum(map(len, parsed))
        return "".join(map(_shown, block[:_MOST_LINES]))


def _shown(line: str) -> str:
    """A line without what changes how others are shown: controls, and marks of direction."""
    text = line.rstrip("\n")
    return "\t".join(printable(part, _LONGEST_LINE) for part in text.split("\t")) + "\n"


def _is_foreign(recording: str | None) -> bool:
    with suppress(OSError, ValueError):
        return recording is not None and os.stat(recording).st_uid != os.geteuid()
    return True


def _read(file: str, foreign: bool, most: int) -> bytes:
    """What a Python source holds. Raises RefusedError for what must not be shown, and OSError."""
    if not file.endswith((".py", ".pyw")) or "\0" in file:
        return b""
    path = os.path.join(os.getcwd(), file)
    real = os.path.realpath(path, strict=True)
    if not real.endswith(os.path.normpath(path)):
        raise RefusedError("a link leads elsewhere")
    with _directory_of(real, foreign) as directory:
        above = os.fstat(directory)
        with open_regular(os.path.basename(real), directory) as stream:
            it = os.fstat(stream.fileno())
            _check_file(it, above, foreign)
            if it.st_size > _LARGEST_FILE:
                raise RefusedError(f"larger than {_LARGEST_FILE // 1_000_000} MB")
            if it.st_size > most:
                raise RefusedError("too much source before it")
            return stream.read(it.st_size)


@contextmanager
def _directory_of(path: str, foreign: bool) -> Iterator[int]:
    """An open directory: nobody but this user or root could have put another one at its path, in
    which no link is followed."""
    directory = os.open("/", _DIRECTORY)
    try:
        _check(os.fstat(directory), foreign)
        for name in path.split("/")[1:-1]:
            below = os.open(name, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = below
            _check(os.fstat(directory), foreign)
        yield directory
    finally:
        os.close(directory)


def _check(it: os.stat_result, foreign: bool) -> None:
    """Raise RefusedError for a directory in which others may put other files in its place."""
    _check_owner(it)
    if it.st_mode & stat.S_IWOTH and not it.st_mode & stat.S_ISVTX:
        raise RefusedError("anybody may write to its directory")
    if foreign and not it.st_mode & stat.S_IXOTH:
        raise RefusedError("not for everybody, and the recording is another user's")


def _check_file(it: os.stat_result, above: os.stat_result, foreign: bool) -> None:
    _check_owner(it)
    if it.st_mode & stat.S_IWOTH:
        raise RefusedError("anybody may write to it")
    if it.st_nlink > 1 and above.st_mode & stat.S_IWOTH:  # as /tmp: anybody may link a file there
        raise RefusedError("it has another name, and its directory is everybody's")
    if foreign and not it.st_mode & stat.S_IROTH:
        raise RefusedError("not for everybody, and the recording is another user's")


def _check_owner(it: os.stat_result) -> None:
    if it.st_uid not in (0, os.geteuid()):
        raise RefusedError("neither yours nor root's")
