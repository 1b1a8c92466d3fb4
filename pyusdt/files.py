# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole or not at all: written beside their place, then renamed to it."""

import contextlib
import os
import secrets
from collections.abc import Iterator


@contextlib.contextmanager
def beside(path: str) -> Iterator[str]:
    """The name of a file to write beside `path`, which is not there yet; it is removed at the end
    unless it has been renamed. So is the journal that SQLite may have left."""
    new = f"{path}.{os.getpid()}-{secrets.token_hex(4)}.new"
    try:
        yield new
    finally:
        for leftover in (new, new + "-journal"):
            with contextlib.suppress(OSError):
                os.unlink(leftover)


def make_empty(path: str) -> None:
    """Make a file that was not there. Raises OSError, whose reason SQLite would not name."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
