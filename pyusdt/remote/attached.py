# SPDX-License-Identifier: Apache-2.0
"""Other processes that have pyusdt loaded: find its control struct there, read it, and write it.

The struct is a symbol of the library, which is read from the process's own file system; its memory
is /proc/PID/mem. The permission for both is that of ptrace. Nothing is left behind.
"""

import contextlib
import errno
import fcntl
import os
import re
import time
from collections.abc import Iterator
from struct import Struct
from typing import Self

from pyusdt.errors import UserError
from pyusdt.remote import elf, proc
from pyusdt.remote.control_layout import (
    CHECK_MSEC_MAX,
    MAGIC,
    SIZES,
    SYMBOL,
    VERSION,
    Control,
    Memory,
    Request,
    Snapshot,
    Status,
    snapshot,
)
from pyusdt.remote.control_requests import actions
from pyusdt.remote.proc import Mapping

_LIBRARY = re.compile(r"/libpyusdt(\.[^/]*)?\.so$")
_HEAD = Struct("=8sII")
_NUMBER = Struct("=I")
_TAKES = "that takes its own user or root, and in a container the capability SYS_PTRACE"
_ANOTHER = "has exec'ed another program"
ANSWER_SECONDS = 2.0  # beyond the watcher's interval: it may have to wait for the GIL
_STATUS_SECONDS = 1.0  # until a status is whole: its writer may have to wait for a processor
_POLL_SECONDS = 0.005
_RETRY_SECONDS = 0.001
_SLACK = 64 << 20  # by how much the kernel's figure of a process's memory may be wrong
_PIECE = 1 << 20  # bytes that are read at once
_RECORDS, _HAS_LINES, _HAS_MEMORY = 5, 6, 7  # control versions from which on we can record those
_ADDRESSES = 1 << 63  # as many as the kernel can be asked for


class NotLoadedError(UserError):
    """A process that does not have pyusdt loaded, or does not run it, or not yet."""


class GoneError(UserError):
    """A process that has ended, or has exec'ed another program."""


_offsets: dict[tuple[str, int], int] = {}
"""Of the struct in each library, by device and inode: many processes share one."""


class Process:
    """A process that has pyusdt loaded. Use it in a `with`."""

    def __init__(self, pid: int, *, write: bool = False) -> None:
        """Find the struct. Raises UserError where there is no such process, or no pyusdt in it."""
        self.pid = pid
        with self._explained():
            self.library = _library(pid)
            self.address = _address(pid, self.library)
            mode = os.O_RDWR if write else os.O_RDONLY
            self._memory = os.open(f"/proc/{pid}/mem", mode | os.O_CLOEXEC)
        try:
            self._refuse_others()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close its memory."""
        os.close(self._memory)

    def __enter__(self) -> Self:
        """Return the process itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its memory."""
        self.close()

    @property
    def version(self) -> int:
        """Of its control struct, and of its counts."""
        return int(self._version)

    @property
    def has_lines(self) -> bool:
        """Whether it can record lines, and its counts have them."""
        return self.version >= _HAS_LINES

    @property
    def has_memory(self) -> bool:
        """The same of what it allocates."""
        return self.version >= _HAS_MEMORY

    def status(self) -> Status:
        """The status as of the watcher's last poll. Raises UserError."""
        return self._snapshot().status

    def change(self, request: bytes) -> Status:
        """Send a struct pyusdt_request, and return the status after it.

        Raises UserError; nothing has changed then.
        """
        return self._ask(request).status

    def record(
        self,
        bits: int,
        structs: dict[str, bytes] | None = None,
        most: int = 1 << 30,
    ) -> bytes:
        """Request these actions of a recording, RECORD_COUNTS among them, and return the counts, of
        `most` bytes. `structs` are those of struct pyusdt_control for RECORD_START, by their names.

        Raises UserError.
        """
        if self._version < _RECORDS:  # its counts have another layout
            raise UserError(
                f"process {self.pid} has an older pyusdt (control version {self._version}), "
                "which cannot be recorded from outside: start it with this one"
            )
        counts = self._ask(actions(bits), structs).counts
        self._require_real(counts, most)
        data = b"".join(self._pieces(counts))
        if self._snapshot().counts != counts:
            raise UserError(f"process {self.pid} did not wait until its counts were read")
        return data

    def _require_real(self, counts: Memory, most: int) -> None:
        """Raise UserError unless it has so much memory: a mapping that nobody has written to can
        have any size."""
        with self._explained():
            real = proc.memory(self.pid) + _SLACK
        if counts.size > real or counts.address + counts.size > _ADDRESSES:
            raise UserError(f"process {self.pid} handed over counts larger than its memory")
        if counts.size > most:
            raise UserError(
                f"process {self.pid} handed over counts of {counts.size >> 20} MB: --max-nodes "
                f"allows {most >> 20} MB"
            )

    def _pieces(self, memory: Memory) -> Iterator[bytes]:
        end = memory.address + memory.size
        for at in range(memory.address, end, _PIECE):
            with self._explained():
                piece = os.pread(self._memory, min(_PIECE, end - at), at)
                if not piece:
                    raise OSError(errno.EIO, "")
                yield piece

    def _ask(self, request: bytes, structs: dict[str, bytes] | None = None) -> Snapshot:
        """Send a request and wait for the answer."""
        self._require_answers()
        with self._our_turn():
            before = self._snapshot()
            interval = before.status["check_msec"]
            if interval > CHECK_MSEC_MAX:
                raise UserError(
                    f"process {self.pid} shows a status that makes no sense: its watcher polls "
                    f"every {interval} ms"
                )
            sequence = (before.requested | 1) + 1
            body = Request.fields.offset
            self._write_sequence(sequence - 1)
            self._write(body, request[body:])
            for name, struct in (structs or {}).items():
                self._write(getattr(Control, name).offset - Control.request.offset, struct)
            self._write_sequence(sequence)
            return self._answer(sequence, interval / 1e3 + ANSWER_SECONDS)

    def _answer(self, sequence: int, seconds: float) -> Snapshot:
        late = time.monotonic() + seconds
        while (now := self._snapshot()).answered != sequence % 2**32:
            if time.monotonic() > late:
                self._write_sequence(now.answered)
                self._require_answers()
                raise UserError(
                    f"process {self.pid} did not answer within {seconds:.1f} seconds, so the "
                    "request was withdrawn: is it busy in C code that keeps the GIL?"
                )
            time.sleep(_POLL_SECONDS)
        if now.refusal is not None:
            raise UserError(f"process {self.pid} refused: {now.refusal}")
        return now

    def _require_answers(self) -> None:
        """Raise UserError where the process cannot answer."""
        with self._explained():
            state = proc.stat(self.pid).state
        if state == "T":
            raise UserError(
                f"process {self.pid} is stopped and cannot answer: kill -CONT {self.pid}"
            )
        if state == "t":
            raise UserError(f"process {self.pid} is held by a debugger and cannot answer")
        if self._snapshot().status["watcher"] == "stopped":
            raise NotLoadedError(
                f"process {self.pid} has pyusdt loaded, but its watcher does not run: the "
                "process has not started it, or is about to end"
            )

    @contextlib.contextmanager
    def _our_turn(self) -> Iterator[None]:
        """Lock out other writers."""
        late = time.monotonic() + 2 * ANSWER_SECONDS
        while True:
            try:
                fcntl.flock(self._memory, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > late:
                    raise UserError(
                        f"another pyusdt is changing process {self.pid}: try again"
                    ) from None
            time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            fcntl.flock(self._memory, fcntl.LOCK_UN)

    def _refuse_others(self) -> None:
        """Raise UserError unless the struct has a version that we understand."""
        head = self._read(0, Control.status.offset)
        magic, there, size = _HEAD.unpack(head)
        if magic != MAGIC:
            raise UserError(
                f"process {self.pid}: {self.library.path} is not the file that was loaded, or "
                "not a pyusdt that this one knows"
            )
        if size != SIZES.get(there):
            age = "a newer" if there > VERSION else "an older" if there < VERSION else "another"
            raise UserError(
                f"process {self.pid} has {age} pyusdt (control version {there}, here {VERSION}): "
                f"use the one that belongs to {self.library.path}"
            )
        self._version = there

    def _snapshot(self) -> Snapshot:
        late = time.monotonic() + _STATUS_SECONDS
        status = Control.status.offset
        while True:
            before = self._read(status, 4)
            data = self._read(0, SIZES[self._version])
            if before == self._read(status, 4) and not before[0] & 1:
                return snapshot(data)
            if time.monotonic() > late:
                raise UserError(f"process {self.pid} stopped while it wrote its status")
            time.sleep(_RETRY_SECONDS)

    def _read(self, offset: int, size: int) -> bytes:
        with self._explained():
            data = os.pread(self._memory, size, self.address + offset)
            if len(data) != size:
                raise ProcessLookupError
            return data

    def _write_sequence(self, sequence: int) -> None:
        self._write(Request.sequence.offset, _NUMBER.pack(sequence % 2**32))

    def _write(self, offset: int, data: bytes) -> None:
        with self._explained():
            at = self.address + Control.request.offset + offset
            if os.pwrite(self._memory, data, at) != len(data):
                raise ProcessLookupError

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn errors of the kernel into UserErrors."""
        try:
            yield
        except PermissionError:
            raise UserError(_no_permission(self.pid)) from None
        except (ProcessLookupError, FileNotFoundError):
            raise GoneError(_no_process(self.pid)) from None
        except OSError as error:
            if error.errno != errno.EIO:
                raise UserError(f"process {self.pid}: {error.strerror}") from None
            raise GoneError(f"process {self.pid} {_ANOTHER}") from None


def _no_permission(pid: int) -> str:
    hint = ""
    with contextlib.suppress(OSError), open("/proc/sys/kernel/yama/ptrace_scope") as file:
        scope = file.read().strip()
        hint = f" (kernel.yama.ptrace_scope is {scope})" if scope != "0" else ""
    return f"no permission to look into process {pid}: {_TAKES}{hint}"


def _no_process(pid: int) -> str:
    try:
        ended = proc.stat(pid).is_ending
    except OSError:
        return f"there is no process {pid}"
    return f"process {pid} has ended" if ended else f"process {pid} {_ANOTHER}"


def _library(pid: int) -> Mapping:
    library = next(libraries(pid), None)
    if library is None:
        if proc.stat(pid).is_ending:
            raise ProcessLookupError
        raise NotLoadedError(f"process {pid} has not loaded pyusdt: it has to import it")
    return library


def libraries(pid: int) -> Iterator[Mapping]:
    """Files with the library's name in the process's memory."""
    return (m for m in proc.mappings(pid, b"libpyusdt") if _LIBRARY.search(m.path))


def _address(pid: int, library: Mapping) -> int:
    """Where the struct is in the process's memory."""
    address = library.base + _symbol_offset(pid, library)
    if not 0 <= address < _ADDRESSES - SIZES[VERSION]:
        raise UserError(f"process {pid}: {library.path} is no ELF library, or damaged")
    return address


def _symbol_offset(pid: int, library: Mapping) -> int:
    """How far the struct is from the library's beginning."""
    key = library.device, library.inode
    if key not in _offsets:
        _offsets[key] = _find_symbol(pid, library)
    return _offsets[key]


def _find_symbol(pid: int, library: Mapping) -> int:
    name = f"process {pid}: {library.path}"
    try:
        file = proc.open_mapped(pid, library)
    except PermissionError:
        raise UserError(
            f"{name} cannot be read, or is not the file that was loaded: {_TAKES}"
        ) from None
    try:
        found = elf.distance_of(SYMBOL, file)
    except ValueError:
        raise UserError(f"{name} is no ELF library, or damaged") from None
    finally:
        os.close(file)
    if found is None:
        raise UserError(f"{name} is an older pyusdt, without live control")
    return found
