# SPDX-License-Identifier: Apache-2.0
"""Opening recordings: what makes a file ours, how one comes to be, and what to say if not.

The journal is SQLite's default (DELETE), not WAL: what is committed lies in the one file itself,
whichever process is killed and when, and the file can be copied or mailed without its neighbours.
"""

import contextlib
import errno
import os
import secrets
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

from pyusdt import files
from pyusdt.errors import UserError
from pyusdt.recording.schema import APPLICATION_ID, SCHEMA, VERSION

_MAGIC = b"SQLite format 3\0"
_USER_VERSION_AT, _APPLICATION_ID_AT = 60, 68  # https://www.sqlite.org/fileformat2.html, 1.3
_HEADER = 100


def check_header(path: str) -> None:
    """Raise UserError unless the file at `path` is a recording that this version can read.

    It reads the header's bytes only, so that a foreign or damaged file never reaches SQLite.
    """
    try:
        with open(path, "rb") as file:
            header = file.read(_HEADER)
    except OSError as e:
        raise UserError(f"{path}: {_strerror(e)}") from e
    if not header:
        raise UserError(f"{path}: not a recording: the file is empty")
    if not header.startswith(_MAGIC):
        raise UserError(f"{path}: not a recording of pyusdt")
    if len(header) < _HEADER:
        raise UserError(f"{path}: damaged recording: cut off after {len(header)} bytes")
    (version,) = struct.unpack_from(">i", header, _USER_VERSION_AT)
    (application,) = struct.unpack_from(">i", header, _APPLICATION_ID_AT)
    if application != APPLICATION_ID:
        raise UserError(f"{path}: a SQLite database, but not a recording of pyusdt")
    if version > VERSION:
        raise UserError(
            f"{path}: a recording of format {version}, and this pyusdt reads up to format "
            f"{VERSION}: upgrade pyusdt"
        )
    if version < 1:
        raise UserError(f"{path}: damaged recording: its format is {version}")


def create(path: str, replace: bool) -> None:
    """Put an empty recording at `path`; where one is, keep it unless `replace`. Never half of one.

    The file is made beside and then linked, so of many processes that start at once one wins.
    Raise UserError when it cannot be made, or when `path` holds anything but a recording.
    """
    if os.path.exists(path):
        check_header(path)
        if not replace:
            return
    with explained(path), files.beside(path) as new:
        _fill_new(new)
        _move(new, path, replace)


def _fill_new(new: str) -> None:
    files.make_empty(new)
    database = sqlite3.connect(new, isolation_level=None)
    try:
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.executescript(f"BEGIN; {SCHEMA} COMMIT;")
        database.execute("INSERT INTO meta VALUES ('recording', ?)", (secrets.token_hex(16),))
    finally:
        database.close()


def _move(new: str, path: str, replace: bool) -> None:
    if replace:
        os.replace(new, path)
        return
    try:
        os.link(new, path)
    except FileExistsError:
        check_header(path)  # another process was first
    except OSError as e:
        # No hard links here (some network and container file systems). Two processes that start
        # in the same instant can then lose the first flush of one, which its next one repeats.
        if e.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EACCES):
            raise
        os.rename(new, path)


@contextlib.contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn what SQLite or the system says about `path` into a UserError."""
    try:
        yield
    except sqlite3.DatabaseError as e:
        raise UserError(f"{path}: {_explain(e, path)}") from e
    except UnicodeError as e:  # sqlite3 fails so on damaged SQL in the schema
        raise UserError(f"{path}: damaged recording: {e}") from e
    except OSError as e:
        raise UserError(f"{path}: {_strerror(e)}") from e


def _explain(e: sqlite3.DatabaseError, path: str) -> str:
    code = getattr(e, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return "cannot write: no space left on the device"
    if code == sqlite3.SQLITE_IOERR:
        return f"cannot read or write ({e}): is the device full, or gone?"
    if code == sqlite3.SQLITE_BUSY:
        return "busy: another process has kept it locked"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return "cannot write: the file is read-only"
    if code == sqlite3.SQLITE_CANTOPEN:
        parent = Path(path).resolve().parent
        writable = os.access(parent, os.W_OK)
        return "cannot open it" if writable else f"cannot write to the directory {parent}"
    return f"damaged recording: {e}"


def _strerror(e: OSError) -> str:
    text = os.strerror(e.errno) if e.errno else str(e)
    return text[:1].lower() + text[1:]
