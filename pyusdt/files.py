# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole or not at all, and only where the user said.

A new file is made beside its place under a name that nobody knows beforehand, with O_EXCL and
without following a link, for its owner alone, and is then renamed to its place. A link of this
user's is followed before, and stays; one that somebody else has put there is replaced.
"""

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from pyusdt.errors import UsageError
from pyusdt.system import io, os, time

_OF_REPORTS = (".html", ".htm", ".json", ".csv", ".folded", ".pstats", ".prof", ".gz", ".txt")
_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.new")
_WRITING_SECONDS = 600
_unfinished: set[str] = set()
"""The new files of this process."""
_MOST_LINKS = 40  # as the kernel has it
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """A stream to a new file that takes the place of `path` when the block ends well. Raises
    OSError; then, and where the block raises, what was at `path` is still there."""
    path = target_of(path)
    new = f"{path}.{os.urandom(8).hex()}.new"
    _unfinished.add(new)
    try:
        with io.open(os.open(new, _NEW, 0o600), "wb") as out:
            os.fchmod(out.fileno(), 0o600)  # whatever the umask is
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(new, path)
    finally:
        _unfinished.discard(new)
        with suppress(OSError):
            os.unlink(new)


def abandon() -> None:
    """Remove what is being written, before the process ends at once."""
    for new in tuple(_unfinished):
        with suppress(OSError):
            os.unlink(new)


def remove_unfinished(path: str) -> None:
    """Remove the new files for `path` that this user's killed processes have left beside it."""
    parent, name = os.path.split(target_of(path))
    with suppress(OSError):
        for other in os.listdir(parent or "."):
            if other.startswith(name) and _UNFINISHED.fullmatch(other[len(name) :]):
                _remove_old(os.path.join(parent, other))


def _remove_old(path: str) -> None:
    it = os.lstat(path)
    old = time.time() - it.st_mtime > _WRITING_SECONDS
    if old and stat.S_ISREG(it.st_mode) and it.st_uid == os.geteuid():
        os.unlink(path)


def open_regular(path: str, directory: int | None = None) -> BinaryIO:
    """Open a file to read it, never waiting for the other end of a pipe. Below a `directory` no
    link is followed. Raises OSError, where it is no regular file too."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    if directory is not None:
        flags |= os.O_NOFOLLOW
    file = io.open(os.open(path, flags, dir_fd=directory), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(None, "not a file")
    return file


def target_of(path: str) -> str:
    """Where the links of this user's lead to that begin at `path`."""
    for _ in range(_MOST_LINKS):
        try:
            it = os.lstat(path)
        except OSError:
            break
        if not stat.S_ISLNK(it.st_mode) or it.st_uid != os.geteuid():
            break
        path = os.path.join(os.path.dirname(path), os.readlink(path))
    return path


def refuse_report(path: str) -> None:
    """Raise UsageError where a recording would get the name of something else."""
    name, suffix = os.path.splitext(path)
    if suffix.lower() in _OF_REPORTS:
        raise UsageError(
            f"option '-o {path}': a recording is no {suffix} file; record to {name}.pyusdt, then: "
            f"pyusdt report {name}.pyusdt -o {path}"
        )


def is_replaceable(path: str) -> bool:
    """Whether a file may take the place of what is at `path`: nothing, a file or a link, and no
    directory, pipe or device."""
    try:
        mode = os.lstat(target_of(path)).st_mode
    except FileNotFoundError:
        return True
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)
