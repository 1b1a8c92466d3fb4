# SPDX-License-Identifier: Apache-2.0
"""Writing a recording at once: one process, one file."""

from collections.abc import Iterable
from dataclasses import replace

from pyusdt import files
from pyusdt.recording import database, run, store
from pyusdt.recording.records import Process
from pyusdt.recording.snapshot import Snapshot
from pyusdt.system import os, time


def write(
    path: str | os.PathLike[str],
    snapshot: Snapshot,
    *,
    process: Process | None = None,
    reason: str | None = "exit",
) -> None:
    """Put a recording of one process at `path`, in the place of an older one.

    `process` is the one that was recorded, this one if it is None; `reason` is why its recording
    ended, None if it did not. Raises UserError, and then what was at `path` is still there.
    """
    name = os.path.abspath(os.fspath(path))
    with store.explained(name):
        run.check_replaceable(name)
        whole = content(process or run.this_process(), reason, snapshot)
        with files.written(name) as out:
            out.write(whole)


def content(process: Process, reason: str | None, snapshot: Snapshot) -> bytes:
    """The bytes of such a recording, which ends now."""
    return content_of([(process, reason, time.time_ns(), snapshot)])


def content_of(processes: Iterable[tuple[Process, str | None, int, Snapshot]]) -> bytes:
    """The same of several, each with the time of its end, or of what was last known of it."""
    with database.new(os.urandom(8).hex()) as whole:
        whole.execute("BEGIN")
        for process, reason, at, snapshot in processes:
            ended = None if reason is None else at
            it = replace(process, updated_ns=at, ended_ns=ended, reason=reason)
            database.add_process(whole, os.urandom(16).hex(), it, snapshot)
        whole.execute("COMMIT")
        return database.content(whole)
