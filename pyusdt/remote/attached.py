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
from typing import BinaryIO, NamedTuple, Self

from pyusdt.errors import UserError
from pyusdt.remote import proc
from pyusdt.remote.control_layout import (
    MAGIC,
    SIZES,
    SYMBOL,
    VERSION,
    Control,
    Memory,
    Request,
    Snapshot,
    Status,
    actions,
    snapshot,
)
from pyusdt.remote.proc import Mapping

_LIBRARY = re.compile(r"/libpyusdt(\.[^/]*)?\.so$")
_HEAD = Struct("=8sII")
_NUMBER = Struct("=I")
_ANOTHER = "is not the program any more that it was"
_ANSWER_SECONDS = 2.0  # beyond the watcher's interval: it may have to wait for the GIL
_POLL_SECONDS = 0.005
_PIECE = 1 << 20  # bytes that are read at once


_offsets: dict[tuple[str, int], int] = {}
"""Of the struct in each library, by device and inode: many processes share one."""


class Process:
    """A process that has pyusdt loaded. Use it in a `with`."""

    def __init__(self, pid: int, *, write: bool = False) -> None:
        """Find the struct. Raises UserError when the process, or its pyusdt, is not to be had."""
        self.pid = pid
        with self._explained():
            self.library = _library(pid)
            self.address = self.library.base + _symbol_offset(pid, self.library)
            mode = os.O_RDWR if write else os.O_RDONLY
            self._memory = os.open(f"/proc/{pid}/mem", mode | os.O_CLOEXEC)
        try:
            self._refuse_others()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the process."""
        os.close(self._memory)

    def __enter__(self) -> Self:
        """Return the process itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it."""
        self.close()

    def status(self) -> Status:
        """Return what pyusdt did there until the watcher's last look. Raises UserError."""
        return self._snapshot().status

    def change(self, request: bytes) -> Status:
        """Have the process do what a struct pyusdt_request asks for; its status after that.

        Raises UserError, and nothing is changed then.
        """
        return self._ask(request).status

    def record(self, bits: int, options: bytes = b"") -> bytes:
        """Have it do these actions of a recording, which include that the counts are handed over,
        and return the counts. `options` is a struct pyusdt_record_options where it is to begin.

        Raises UserError.
        """
        if self._version < 2:
            raise UserError(
                f"process {self.pid} has an older pyusdt (control version {self._version}), "
                "which cannot be recorded from outside: start it with a newer one"
            )
        counts = self._ask(actions(bits), options).counts
        data = b"".join(self._pieces(counts))
        if self._snapshot().counts != counts:
            raise UserError(f"process {self.pid} did not wait until its counts were read")
        return data

    def _pieces(self, memory: Memory) -> Iterator[bytes]:
        end = memory.address + memory.size
        for at in range(memory.address, end, _PIECE):
            with self._explained():
                yield os.pread(self._memory, min(_PIECE, end - at), at)

    def _ask(self, request: bytes, options: bytes = b"") -> Snapshot:
        """Have a request answered."""
        self._require_answers()
        with self._our_turn():
            before = self._snapshot()
            sequence = (before.requested | 1) + 1
            body = Request.fields.offset
            self._write_sequence(sequence - 1)
            self._write(body, request[body:])
            if options:
                self._write(Control.record_options.offset - Control.request.offset, options)
            self._write_sequence(sequence)
            return self._answer(sequence, before.status["check_msec"] / 1e3 + _ANSWER_SECONDS)

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
        """Raise UserError where nobody is there to answer."""
        with self._explained():
            state = proc.stat(self.pid).state
        if state == "T":
            raise UserError(
                f"process {self.pid} is stopped and cannot answer: kill -CONT {self.pid}"
            )
        if state == "t":
            raise UserError(f"process {self.pid} is held by a debugger and cannot answer")
        if self._snapshot().status["watcher"] == "stopped":
            raise UserError(
                f"process {self.pid} has pyusdt loaded, but its watcher does not run: it has not "
                "begun, or is about to end"
            )

    @contextlib.contextmanager
    def _our_turn(self) -> Iterator[None]:
        """Keep other writers out."""
        late = time.monotonic() + 2 * _ANSWER_SECONDS
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
        """Raise UserError where the struct is none of a version that we understand."""
        head = self._read(0, Control.status.offset)
        magic, there, size = _HEAD.unpack(head)
        if magic != MAGIC:
            raise UserError(
                f"process {self.pid}: {self.library.path} is not as it was loaded, or no pyusdt "
                "that this one knows"
            )
        if size != SIZES.get(there):
            age = "a newer" if there > VERSION else "an older" if there < VERSION else "another"
            raise UserError(
                f"process {self.pid} has {age} pyusdt (control version {there}, here {VERSION}): "
                f"use the one that belongs to {self.library.path}"
            )
        self._version = there

    def _snapshot(self) -> Snapshot:
        late = time.monotonic() + _ANSWER_SECONDS
        status = Control.status.offset
        while True:
            before = self._read(status, 4)
            data = self._read(0, SIZES[self._version])
            if before == self._read(status, 4) and not before[0] & 1:
                return snapshot(data)
            if time.monotonic() > late:
                raise UserError(f"process {self.pid} stands still while it writes its status")

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
        """Make UserErrors of what the kernel says."""
        try:
            yield
        except PermissionError:
            raise UserError(_no_permission(self.pid)) from None
        except (ProcessLookupError, FileNotFoundError):
            raise UserError(_no_process(self.pid)) from None
        except OSError as error:
            if error.errno != errno.EIO:
                raise UserError(f"process {self.pid}: {error.strerror}") from None
            raise UserError(f"process {self.pid} {_ANOTHER}") from None


def _no_permission(pid: int) -> str:
    hint = ""
    with contextlib.suppress(OSError), open("/proc/sys/kernel/yama/ptrace_scope") as file:
        scope = file.read().strip()
        hint = f" (kernel.yama.ptrace_scope is {scope})" if scope != "0" else ""
    return (
        f"no permission to look into process {pid}: that takes its own user or root, and in a "
        f"container the capability SYS_PTRACE{hint}"
    )


def _no_process(pid: int) -> str:
    try:
        ended = proc.stat(pid).is_ending
    except OSError:
        return f"there is no process {pid}"
    return f"process {pid} has ended" if ended else f"process {pid} {_ANOTHER}"


def _library(pid: int) -> Mapping:
    library = next(_libraries(pid), None)
    if library is None:
        if proc.stat(pid).is_ending:
            raise ProcessLookupError
        raise UserError(f"process {pid} has not loaded pyusdt: it has to import it")
    return library


def _libraries(pid: int) -> Iterator[Mapping]:
    """Files with the library's name in the process's memory."""
    return (m for m in proc.mappings(pid, b"libpyusdt") if _LIBRARY.search(m.path))


def _symbol_offset(pid: int, library: Mapping) -> int:
    """How far the struct is from the library's beginning."""
    key = library.device, library.inode
    if key not in _offsets:
        with _opened(pid, library) as file:
            _offsets[key] = _find_symbol(file, f"process {pid}: {library.path}")
    return _offsets[key]


def _opened(pid: int, library: Mapping) -> BinaryIO:
    """The file that is mapped; where another one has taken its place, the mapping has it still."""
    path = proc.path_of(pid, library)
    if path is not None:
        with contextlib.suppress(OSError):
            return open(path, "rb")
    try:
        return open(f"/proc/{pid}/map_files/{library.base:x}-{library.end:x}", "rb")
    except PermissionError:
        raise UserError(
            f"process {pid}: {library.path} cannot be read, or is not the file that was loaded: "
            "run this as root"
        ) from None


def _find_symbol(file: BinaryIO, name: str) -> int:
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    try:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".dynsym")
        found = table.get_symbol_by_name(SYMBOL) if isinstance(table, SymbolTableSection) else None
        first = next(s for s in elf.iter_segments() if s["p_type"] == "PT_LOAD")
    except (ELFError, StopIteration):
        raise UserError(f"{name} is no ELF library, or damaged") from None
    if not found:
        raise UserError(f"{name} is an older pyusdt, without live control")
    return int(found[0]["st_value"]) - int(first["p_vaddr"]) + int(first["p_offset"])


class Found(NamedTuple):
    """What a look at all processes found."""

    statuses: dict[int, Status]
    """By pid, as it is seen from here."""
    problems: list[str]
    """Processes that have pyusdt loaded, but do not tell."""
    hidden: int
    """Processes that we may not look into."""


def find_all() -> Found:
    """Return the status of every process that has pyusdt loaded, but for this one."""
    found = Found({}, [], 0)
    for pid in proc.pids():
        try:
            if pid == os.getpid() or next(_libraries(pid), None) is None:
                continue
            with Process(pid) as process:
                found.statuses[pid] = process.status()
        except PermissionError:
            found = found._replace(hidden=found.hidden + 1)
        except OSError:
            continue  # it has ended
        except UserError as error:
            if proc.exists(pid):
                found.problems.append(str(error))
    return found
