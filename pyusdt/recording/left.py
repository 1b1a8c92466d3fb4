# SPDX-License-Identifier: Apache-2.0
"""What a run has left beside its file: too much for its end, or of processes that were killed."""

from contextlib import suppress
from typing import BinaryIO

from pyusdt.errors import UserError
from pyusdt.recording import database, kernel_file, reader, run, store
from pyusdt.recording.schema import VERSION
from pyusdt.system import os, time

MOST_BYTES = 16_000_000
"""Of parts that are put into the file while somebody waits: 280,000 contexts, about a second."""

_YOUNG_SECONDS = 1.0


def tidy(path: str) -> None:
    """Put what the run at `path` has left into its file, where this is a small work, the run is
    this user's, and nothing more will come. It fails without a word: the parts can be read where
    they are."""
    with suppress(UserError), store.explained(path):
        with store.opened(path) as it:
            token, name = store.identity(it)
        if name and _is_over(path, name, token):
            run.finish(path, MOST_BYTES)


def _is_over(path: str, name: str, token: str) -> bool:
    """Whether all processes of the run are gone. One that has just begun may have no part yet."""
    with run.opened(path, name, token) as directory:
        if time.time() - os.fstat(directory).st_mtime < _YOUNG_SECONDS:
            return False
        if run.bytes_in(directory) > MOST_BYTES:
            return False
        over = all(map(run.is_over, run.processes_in(directory).values()))
        return over and not kernel_file.is_awaited(directory)


def beside(path: str) -> tuple[int, str]:
    """How many bytes of parts are not in the file at `path`, and the name of their directory; 0 and
    "" where there is none. Raises UserError."""
    with store.explained(path), store.opened(path) as it:
        token, name = store.identity(it)
        with suppress(OSError), run.opened(path, name, token) as directory:
            return run.bytes_in(directory), name
    return 0, ""


def copy_whole(path: str, out: BinaryIO) -> None:
    """Write a recording with all that the one at `path` has, in its parts too. Raises UserError."""
    with store.explained(path), reader.whole(path) as it:
        if store.version(it) < VERSION:
            raise UserError(f"{path}: written by an older pyusdt, and cannot be copied")
        with database.new(store.identity(it)[0]) as copy:
            copy.execute("BEGIN")
            database.copy_rows(it, copy)
            copy.execute("COMMIT")
            out.write(database.content(copy))
