# SPDX-License-Identifier: Apache-2.0
"""Source files that are here, for reports that show them.

A recording may come from elsewhere and name any file, and reports are passed on. So a file is read
only if nobody but this user or root can have put it where the recording says that it is: `read`
has the rules. Of a recording that is another user's, only what that user could read is read.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pyusdt.files import open_regular

MOST_READ = 64_000_000  # bytes, of all files together
_LARGEST_FILE = 1_000_000
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class RefusedError(Exception):
    """A file that is there and is not read; the text says why."""


def is_foreign(recording: str | None) -> bool:
    """Whether the recording at that path is another user's, or it is not known whose."""
    with suppress(OSError, ValueError):
        return recording is not None and os.stat(recording).st_uid != os.geteuid()
    return True


def read(file: str, foreign: bool, most: int) -> bytes:
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
