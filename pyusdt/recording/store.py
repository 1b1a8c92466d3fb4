# SPDX-License-Identifier: Apache-2.0
"""Opening recordings: what makes a file ours, and what to report if it is not.

A recording is read as a file that anybody may have made. SQLite takes it as one that never changes,
so it looks for no journal beside it and locks nothing. Of its schema only tables are used, and they
must be what they look like: no view, virtual table or generated column, whose SQL would be run.
"""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from sqlite3 import connect
from urllib.parse import quote_from_bytes

from pyusdt.errors import UserError
from pyusdt.files import open_regular
from pyusdt.recording.build import DamageError
from pyusdt.recording.schema import APPLICATION_ID, VERSION
from pyusdt.system import os, time

_MAGIC = b"SQLite format 3\0"
_USER_VERSION_AT, _APPLICATION_ID_AT = 60, 68  # https://www.sqlite.org/fileformat2.html, 1.3
_HEADER = 100
_SECONDS = 120.0
_LONGEST = 10_000_000  # bytes of a text
_READ = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_PRAGMA,
}
_FUNCTIONS = {"count", "sum", "typeof", "total", "length"}
_PRAGMAS = {"user_version", "table_xinfo"}


def check_header(path: str) -> None:
    """Raise UserError unless the file at `path` is a recording that this version can read.

    It reads the header's bytes only, so that a foreign or damaged file never reaches SQLite.
    """
    try:
        with open_regular(path) as file:
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


@contextmanager
def opened(path: str) -> Iterator[sqlite3.Connection]:
    """A connection that reads the recording at `path` and nothing else. Raises UserError, and
    sqlite3's errors where it is damaged."""
    check_header(path)
    whole = path if os.path.isabs(path) else os.path.join(os.getcwd(), path)
    uri = f"file:{quote_from_bytes(os.fsencode(whole))}?mode=ro&immutable=1"
    with closing(connect(uri, uri=True, isolation_level=None)) as it:
        it.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
        it.setconfig(sqlite3.SQLITE_DBCONFIG_TRUSTED_SCHEMA, False)
        it.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, False)
        it.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW, False)
        it.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        it.set_authorizer(_authorize)
        end = time.monotonic() + _SECONDS
        it.set_progress_handler(lambda: int(time.monotonic() > end), 100_000)
        yield it


def _authorize(
    action: int, one: str | None, two: str | None, _database: str | None, within: str | None
) -> int:
    """Allow what our own queries do: nothing is written, and nothing is run within an object of the
    file's."""
    allowed = action in _READ and within is None
    if action == sqlite3.SQLITE_FUNCTION:
        allowed = allowed and two in _FUNCTIONS
    if action == sqlite3.SQLITE_PRAGMA:
        allowed = allowed and one in _PRAGMAS
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def check_table(database: sqlite3.Connection, name: str) -> None:
    """Raise DatabaseError unless it is an ordinary table with ordinary columns."""
    row = database.execute(
        "SELECT type, sql FROM sqlite_master WHERE name = ? AND type IN ('table', 'view')", (name,)
    ).fetchone()
    ordinary = (
        row is not None
        and row[0] == "table"
        and isinstance(row[1], str)
        and row[1][:13].upper() == "CREATE TABLE "
        and not any(column[6] for column in database.execute(f"PRAGMA table_xinfo({name})"))
    )
    if not ordinary:
        raise sqlite3.DatabaseError(f"{name} is no table")


def version(database: sqlite3.Connection) -> int:
    """The format of an open recording."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def identity(database: sqlite3.Connection) -> tuple[str, str]:
    """The token of the run, and the name of the directory with its parts, "" if it has none."""
    check_table(database, "meta")
    meta = dict(database.execute("SELECT key, value FROM meta"))
    directory = meta.get("directory", b"")
    name = os.fsdecode(directory) if isinstance(directory, bytes) else ""
    return str(meta.get("recording", "")), name


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn what SQLite or the system reports about `path` into a UserError."""
    try:
        yield
    except sqlite3.DatabaseError as e:
        raise UserError(f"{path}: {_explain(e)}") from e
    except (DamageError, UnicodeError, OverflowError) as e:  # sqlite3: of damaged SQL in the schema
        raise UserError(f"{path}: damaged recording: {e}") from e
    except OSError as e:
        raise UserError(f"{path}: {_strerror(e)}") from e


def _explain(e: sqlite3.DatabaseError) -> str:
    code = getattr(e, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_IOERR:
        return f"cannot read ({e}): is the device gone?"
    if code == sqlite3.SQLITE_INTERRUPT:
        return f"not read within {_SECONDS:.0f} seconds"
    if code == sqlite3.SQLITE_CANTOPEN:
        return "cannot open it"
    return f"damaged recording: {e}"


def _strerror(e: OSError) -> str:
    text = os.strerror(e.errno) if e.errno else e.strerror or str(e)
    return text[:1].lower() + text[1:]
