# SPDX-License-Identifier: Apache-2.0
"""A run: the processes that record to one file, and the private directory beside it where each
writes parts of its own until they become the recording.

While it lasts, the file is a recording without processes that names the directory, `.NAME.TOKEN`.
A part that is complete, because its process has ended or been killed, moves into the file: a new
file, written beside and renamed. That is the work of the process that began the run, at its end,
and of `pyusdt report` for what is left then (left.py). Whoever else reads the recording reads that
too, and leaves it there. Processes never wait for each other.
"""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from pyusdt import files, rundir, system
from pyusdt.errors import UserError
from pyusdt.recording import alive, database, direct, kernel_file, store
from pyusdt.recording.kernel_file import OfProcess
from pyusdt.recording.parts import NEW, SUFFIX, Part, list_of_sources, read, snapshot_of
from pyusdt.recording.records import KILLED, Process
from pyusdt.recording.schema import VERSION
from pyusdt.recording.source import Reader, is_list_or_text
from pyusdt.rundir import OF_KERNEL, RunDirectory
from pyusdt.system import os, time

if TYPE_CHECKING:
    import fcntl
else:
    fcntl = system.copy_of("fcntl")

_WRITING = 10.0
"""Seconds that a part takes at most to be written and renamed."""

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def begin(path: str, token: str | None = None) -> tuple[RunDirectory, bool]:
    """Begin a run, whose file takes the place of what is at `path`: True. Or join the one that
    another process has begun with the same `token`: False. Raises UserError where there is no
    recording at `path`, or it cannot be replaced."""
    path = os.path.abspath(path)
    with store.explained(path):
        check_replaceable(path)
        try:
            run = rundir.make(path, token or os.urandom(8).hex())
        except FileExistsError:
            return rundir.join(path, token or ""), False
        try:
            if token is None or not is_of(path, token):
                _put_new(run)
        except BaseException:
            with suppress(OSError):
                os.rmdir(run.directory)
            raise
    _remove_old(run)
    files.remove_unfinished(path)
    return run, True


def join_file(path: str) -> tuple[RunDirectory, bool]:
    """Take part in the run whose file is at `path`, over or not; begin one where there is none.
    Raises UserError."""
    path = os.path.abspath(path)
    if not os.path.lexists(path):
        return begin(path)
    with store.explained(path):
        with store.opened(path) as it:
            token, _ = store.identity(it)
            version = store.version(it)
        if version < VERSION or not rundir.is_token(token):
            raise UserError(f"{path}: written by an older pyusdt, and cannot be added to")
        try:
            run = rundir.make(path, token)
        except FileExistsError:
            return rundir.join(path, token), False
        with store.opened(path) as it, database.new(token, os.path.basename(run.directory)) as new:
            database.copy_rows(it, new)
            _put(path, database.content(new))
        return run, True


def _put_new(run: RunDirectory) -> None:
    with database.new(run.token, os.path.basename(run.directory)) as empty:
        _put(run.path, database.content(empty))


def is_of(path: str, token: str) -> bool:
    """Whether the file at `path` is that of the run with this token."""
    with suppress(UserError, OSError, sqlite3.Error), store.opened(path) as it:
        return store.identity(it)[0] == token
    return False


def check_replaceable(path: str) -> None:
    """Raise UserError or OSError unless a recording may take the place of what is at `path`."""
    if not files.is_replaceable(path):
        raise UserError(f"{path}: not a file, so nothing is recorded to it")
    if os.path.isfile(path) and not os.path.islink(path):
        store.check_header(path)


def _put(path: str, content: bytes) -> None:
    with files.written(path) as out:
        out.write(content)


@contextmanager
def opened(path: str, name: str, token: str) -> Iterator[int]:
    """A descriptor of the directory of that name beside the file, which must be that of a run with
    this token: the name is from a file that anybody may have made. Raises OSError."""
    if not rundir.is_name(name, token):
        raise FileNotFoundError(2, "no such directory")
    directory = os.open(os.path.join(os.path.dirname(os.path.abspath(path)), name), _FLAGS)
    try:
        yield directory
    finally:
        os.close(directory)


def processes_in(directory: int) -> dict[str, list[Part]]:
    """The parts in an open directory, by the token of their process, in order."""
    processes: dict[str, list[Part]] = {}
    for name in sorted(os.listdir(directory)):
        if name.endswith(SUFFIX) and (part := _read_last(name, directory)):
            processes.setdefault(part.token, []).append(part)
    return processes


def read_sources(processes: dict[str, list[Part]], directory: int) -> None:
    """Give each part its sources."""
    reader = Reader(directory)
    for part in chain.from_iterable(processes.values()):
        part.sources = reader.sources([list_of_sources(part)])


def _read_last(name: str, directory: int) -> Part | None:
    """A part; where its process is gone, as that has left it: it may have written its end between
    our reading and our look at it."""
    part = read(name, directory)
    if part is None or _is_last(part.process.reason) or alive.may_run(part):
        return part
    if part := read(name, directory):
        part.is_gone = True
    return part


def _is_last(reason: str | None) -> bool:
    """Whether no process goes on behind such an end; behind that of a block it does."""
    return reason in ("exit", "os._exit", "exec") or str(reason).startswith("SIG")


def add(
    into: sqlite3.Connection,
    token: str,
    parts: list[Part],
    pending: list[direct.Nodes] | None = None,
    kernel: dict[int, OfProcess] | None = None,
) -> None:
    """Add a process of which these are the parts; nodes that need no work before go to `pending`,
    if it is given. `kernel` is the kernel's account, by pid; what it has for this one is taken out
    of there, since a process that becomes another program keeps its pid. Raises UserError where the
    parts make no sense."""
    process = _together(parts)
    account = kernel.pop(process.pid, None) if kernel else None
    try:
        if direct.can_add(parts):
            with suppress(direct.NotWholeError):
                direct.add(into, parts[0], process, pending, account)
                return
        snapshot = snapshot_of(parts, account)
        for part in parts:
            snapshot.sources |= part.sources
        database.add_process(into, token, process, snapshot)
    except (ValueError, OverflowError) as error:
        raise UserError(f"process {process.pid} has left {error}") from None
    except KeyError:
        raise UserError(f"process {process.pid} has left counts of unknown functions") from None


def _together(parts: list[Part]) -> Process:
    """One row for several recordings of a process: it has ended when all have."""
    processes = [part.process for part in parts]
    ended = [process.ended_ns for process in processes if process.ended_ns is not None]
    over = len(ended) == len(processes)
    last = max(processes, key=lambda process: process.updated_ns)
    otherwise = KILLED if _is_gone(parts) else None
    return replace(
        last,
        started_ns=min(process.started_ns for process in processes),
        started_monotonic_ns=min(process.started_monotonic_ns for process in processes),
        ended_ns=max(ended) if over else None,
        reason=last.reason if over else otherwise,
    )


def is_complete(parts: list[Part]) -> bool:
    """Whether nothing more will come of a process, as far as is known: it has ended, or is gone."""
    return _is_gone(parts) or all(part.process.ended_ns is not None for part in parts)


def is_over(parts: list[Part]) -> bool:
    """Whether nothing more can come of it."""
    return _is_gone(parts) or (is_complete(parts) and _is_last(parts[-1].process.reason))


def _is_gone(parts: list[Part]) -> bool:
    return any(part.is_gone for part in parts)


def this_process() -> Process:
    """This one, which begins to be recorded now."""
    about = rundir.where()
    return Process(
        id=0,
        pid=os.getpid(),
        parent_pid=os.getppid(),
        host=about["host"],
        command=" ".join(sys.orig_argv or sys.argv),
        python=sys.version.split()[0],
        started_ns=time.time_ns(),
        started_monotonic_ns=time.monotonic_ns(),
        paths=tuple(rundir.paths()),
    )


def finish(
    path: str,
    most_bytes: int | None = None,
    *,
    leaving: bool = False,
    run: RunDirectory | None = None,
) -> int | None:
    """Bring the file at `path` up to date with what is complete, and remove what is over: how many
    processes go on. `leaving`: this process is about to end. None: nothing was done, because the
    parts have more bytes than `most_bytes`, another process is at it, or the run is somebody
    else's, or not `run`, whose file another one has replaced. Raises UserError."""
    path = os.path.abspath(path)
    with store.explained(path):
        with store.opened(path) as it:
            token, name = store.identity(it)
            if store.version(it) < VERSION:
                return None  # its parts are of an older layout
        if run is not None and run.token != token:
            _remove_dead(*os.path.split(run.directory), run.token, leaving)
            return None
        try:
            with opened(path, name, token) as directory:
                fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not _is_own(path, token, name, directory):
                    return None
                if most_bytes is not None and bytes_in(directory) > most_bytes:
                    return None
                # Only now: whoever had the lock before has written a new file.
                with store.opened(path) as it:
                    if store.identity(it) != (token, name):
                        return None
                    return _finish(path, token, name, it, directory, leaving)
        except FileNotFoundError:
            return 0
        except BlockingIOError:
            return None


def _is_own(path: str, token: str, name: str, directory: int) -> bool:
    """Whether the file and the directory are this user's, and of one run. Somebody else's file may
    name any directory; a copy names that of the first."""
    return (
        os.path.basename(rundir.directory_of(path, token)) == name
        and os.lstat(path).st_uid == os.geteuid()
        and rundir.is_private(os.fstat(directory))
    )


def bytes_in(directory: int) -> int:
    """How much all its parts hold; texts cost little to read."""
    total = 0
    for name in os.listdir(directory):
        if is_list_or_text(name):
            continue
        with suppress(FileNotFoundError):  # renamed meanwhile, by a process that writes it
            total += os.stat(name, dir_fd=directory, follow_symlinks=False).st_size
    return total


def _finish(
    path: str, token: str, name: str, old: sqlite3.Connection, directory: int, leaving: bool
) -> int:
    children = alive.children()  # now: one that ends from here on has written a part
    processes = processes_in(directory)
    complete = {key: parts for key, parts in processes.items() if is_complete(parts)}
    me = os.getpid() if leaving else 0
    over = [
        parts
        for parts in processes.values()
        if is_over(parts) or (is_complete(parts) and parts[0].process.pid == me)
    ]
    stays = len(over) < len(processes) or _begins(processes, children) or _is_written_to(directory)
    accounts = kernel_file.read(directory)
    read_sources(complete, directory)
    with database.new(token, name if stays else "") as whole:
        whole.execute("BEGIN")
        database.copy_rows(old, whole)
        for key, parts in complete.items():
            database.remove_process(whole, key)
            add(whole, key, parts, kernel=accounts)
        whole.execute("COMMIT")
        content = database.content(whole)
        if not is_of(path, token):
            return len(processes) - len(complete)  # another run has begun meanwhile
        _put(path, content)
    for part in chain.from_iterable(over):
        os.unlink(part.name, dir_fd=directory)
        if listed := list_of_sources(part):
            with suppress(FileNotFoundError):
                os.unlink(listed, dir_fd=directory)
    if not stays:
        _remove(os.path.join(os.path.dirname(path), name), directory)
    return len(processes) - len(complete)


def _begins(processes: dict[str, list[Part]], children: set[int]) -> bool:
    """Whether a child of this process may be about to write its first part."""
    return not children <= {part.process.pid for part in chain.from_iterable(processes.values())}


def _is_written_to(directory: int) -> bool:
    """Whether a part is being written there: what is older was left by a process that was killed
    meanwhile."""
    now = time.time()
    for name in os.listdir(directory):
        with suppress(OSError):
            if name.endswith(f"{SUFFIX}.new") and now - _changed(name, directory) < _WRITING:
                return True
    return False


def _changed(name: str, directory: int) -> float:
    return os.stat(name, dir_fd=directory, follow_symlinks=False).st_mtime


def _remove(path: str, directory: int) -> None:
    """What a process may be writing at this moment stays: then the directory does, too. Others may
    have put another one at its path: only what is in the open one is removed."""
    with suppress(OSError):
        for name in os.listdir(directory):
            if name.endswith(SUFFIX + NEW) or name in OF_KERNEL or is_list_or_text(name):
                os.unlink(name, dir_fd=directory)
        os.rmdir(path)


def _remove_old(run: RunDirectory) -> None:
    """Remove what earlier runs to the same file have left, if all their processes are gone."""
    parent, name = os.path.split(run.directory)
    prefix = name[: -len(run.token)]
    with suppress(OSError):
        for other in os.listdir(parent):
            if other.startswith(prefix) and other != name and rundir.is_token(other[len(prefix) :]):
                _remove_dead(parent, other, other[len(prefix) :])


def _remove_dead(parent: str, name: str, token: str, leaving: bool = False) -> None:
    """Remove a directory whose run has no file any more, unless a process of it may go on, other
    than this one where it is `leaving`."""
    with suppress(OSError), opened(os.path.join(parent, "x"), name, token) as directory:
        it = os.fstat(directory)
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        names = os.listdir(directory)  # what comes from here on is of a process that has begun
        if _is_written_to(directory):
            return
        processes = processes_in(directory)
        me = os.getpid() if leaving else 0
        done = [is_complete(parts) or parts[0].process.pid == me for parts in processes.values()]
        if not rundir.is_private(it) or not all(done):
            return
        if not names and _is_young(it):
            return
        for part in names:
            if part.endswith((SUFFIX, SUFFIX + NEW)) or part in OF_KERNEL or is_list_or_text(part):
                os.unlink(part, dir_fd=directory)
        os.rmdir(os.path.join(parent, name))


def _is_young(it: os.stat_result) -> bool:
    """A run that has just begun has no part yet."""
    return time.time() - it.st_mtime < 60
