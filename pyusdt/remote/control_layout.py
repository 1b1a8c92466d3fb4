# SPDX-License-Identifier: Apache-2.0
"""Live control from outside: the struct `pyusdt_control` and its parts.

include/pyusdt_control.h is the layout's source, and describes how it is read and written.
"""

import ctypes
from typing import Literal, NamedTuple, TypedDict

from pyusdt.harmless import printable
from pyusdt.libpyusdt import DORMANT

MAGIC = b"pyusdt\n\0"
VERSION = 7
SYMBOL = b"pyusdt_control"
CHECK_MSEC_MAX = 10_000
"""The most that src/control/settings.c accepts."""

FILTER_SIZE = 1024
_PROBES_MAX, _LOSSES_MAX, _NAME_SIZE, _MESSAGE_SIZE = 64, 16, 24, 256
NEVER = 2**64 - 1
"""The setting slow_usec that is off."""

Values = Literal["safe", "repr", "off"]
Times = Literal["exact", "sampled"]
TIMES: tuple[Times, ...] = ("exact", "sampled")
VALUES: tuple[Values, ...] = ("safe", "repr", "off")


class Sampler(TypedDict):
    """The thread that looks, while something records, at what all threads do."""

    interval_usec: int
    """From one look to the next."""
    threads: int
    """That it looks at."""
    share: float
    """Of a CPU that it takes: 1.0 would be all of it."""
    looks: int
    """Since it began."""


class Status(TypedDict):
    """What pyusdt does in a process."""

    pid: int
    """As the process sees itself."""
    python: str
    """Its version, as in 3.13.0."""
    watcher: Literal["running", "stopped"]
    dormant: str | None
    """Why no event is enabled although some are wanted."""
    tool_id: int | None
    """The id of sys.monitoring that is held while events are enabled."""
    probes_watched: list[str]
    """The probes that tracers watch."""
    events_on: list[str]
    """The events of sys.monitoring that are enabled for them."""
    only: str
    """Patterns of the functions to trace; "": all."""
    exclude: str
    """Patterns of those not to trace, even where `only` has them."""
    values: Values
    slow_usec: int | None
    """How many microseconds a call takes for function__slow to fire; None: it never fires."""
    large_bytes: int | None
    """How many bytes are allocated at once for mem__large to fire; None: an older pyusdt, which has
    no such probe."""
    check_msec: int
    """How often the watcher polls, in milliseconds."""
    verbose: bool
    recorded: list[Literal["inside", "outside"]]
    """By whom the process is recorded: the program itself, `pyusdt record` from outside."""
    sampler: Sampler | None
    """None: it is off."""
    probes_fired: dict[str, int]
    """How often each probe has fired; probes that never have are left out."""
    losses: dict[str, int]
    """Events that were lost, by reason."""


class _Struct(ctypes.Structure):
    """A struct of C, with what its users here need."""

    @classmethod
    def offsets(cls) -> dict[str, int]:
        """Where each member begins."""
        return {field[0]: getattr(cls, field[0]).offset for field in cls._fields_}


class Settings(_Struct):
    """struct pyusdt_settings"""

    _fields_ = (
        ("slow_usec", ctypes.c_uint64),
        ("values", ctypes.c_uint32),
        ("check_msec", ctypes.c_uint32),
        ("verbose", ctypes.c_uint32),
        ("large_bytes", ctypes.c_uint32),
        ("only", ctypes.c_char * FILTER_SIZE),
        ("exclude", ctypes.c_char * FILTER_SIZE),
    )


class Count(_Struct):
    """struct pyusdt_count"""

    _fields_ = (("name", ctypes.c_char * _NAME_SIZE), ("count", ctypes.c_uint64))


class RawStatus(_Struct):
    """struct pyusdt_status"""

    _fields_ = (
        ("sequence", ctypes.c_uint32),
        ("acknowledged", ctypes.c_uint32),
        ("failed", ctypes.c_uint32),
        ("pid", ctypes.c_int32),
        ("watcher", ctypes.c_uint32),
        ("dormant", ctypes.c_uint32),
        ("tool_id", ctypes.c_int32),
        ("events_on", ctypes.c_uint32),
        ("probes_watched", ctypes.c_uint64),
        ("n_probes", ctypes.c_uint32),
        ("n_losses", ctypes.c_uint32),
        ("error", ctypes.c_char * _MESSAGE_SIZE),
        ("python", ctypes.c_char * _NAME_SIZE),
        ("settings", Settings),
        ("probes", Count * _PROBES_MAX),
        ("losses", Count * _LOSSES_MAX),
    )


class Request(_Struct):
    """struct pyusdt_request"""

    _fields_ = (
        ("sequence", ctypes.c_uint32),
        ("fields", ctypes.c_uint32),
        ("actions", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("settings", Settings),
    )


class RecordOptions(_Struct):
    """struct pyusdt_record_options"""

    _fields_ = (
        ("max_nodes", ctypes.c_uint64),
        ("c_calls", ctypes.c_uint32),
        ("lease_msec", ctypes.c_uint32),
        ("only", ctypes.c_char * FILTER_SIZE),
        ("exclude", ctypes.c_char * FILTER_SIZE),
    )


class Record(_Struct):
    """struct pyusdt_record"""

    _fields_ = (
        ("address", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
        ("recorded", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
    )


class RecordTiming(_Struct):
    """struct pyusdt_record_timing"""

    _fields_ = (("times", ctypes.c_uint32), ("sample_msec", ctypes.c_uint32))


class RecordLines(_Struct):
    """struct pyusdt_record_lines"""

    _fields_ = (
        ("lines", ctypes.c_char * FILTER_SIZE),
        ("of_program", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
    )


class RecordMemory(_Struct):
    """struct pyusdt_record_memory"""

    _fields_ = (("memory", ctypes.c_uint32), ("reserved", ctypes.c_uint32))


class RawSampler(_Struct):
    """struct pyusdt_sampler"""

    _fields_ = (
        ("interval_usec", ctypes.c_uint32),
        ("share", ctypes.c_uint32),
        ("threads", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("looks", ctypes.c_uint64),
    )


class Control(_Struct):
    """struct pyusdt_control"""

    _fields_ = (
        ("magic", ctypes.c_char * 8),
        ("version", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("status", RawStatus),
        ("request", Request),
        ("record_options", RecordOptions),
        ("record", Record),
        ("record_timing", RecordTiming),
        ("sampler", RawSampler),
        ("record_lines", RecordLines),
        ("record_memory", RecordMemory),
    )


SIZES = {
    1: Control.record_options.offset,
    **dict.fromkeys((2, 3, 4), Control.record_timing.offset),
    5: Control.record_lines.offset,
    6: Control.record_memory.offset,
    7: ctypes.sizeof(Control),
}
"""Of the struct in each version that is understood."""
RECORD_START, RECORD_COUNTS, RECORD_STOP = 1, 2, 4
"""The bits of request.actions."""
_RECORDERS: tuple[Literal["inside", "outside"], ...] = ("inside", "outside")


class Memory(NamedTuple):
    """A place in the process."""

    address: int
    """0: there is none."""
    size: int


class Snapshot(NamedTuple):
    """The struct at one moment."""

    status: Status
    answered: int
    """The sequence of the request that was answered last."""
    refusal: str | None
    """Why that one was refused."""
    requested: int
    """The sequence of the last request."""
    counts: Memory
    """Where what was recorded lies; see include/pyusdt_counts.h."""


def snapshot(data: bytes) -> Snapshot:
    """Read the bytes of a whole struct of a version that is understood; they may hold anything
    else."""
    control = Control.from_buffer_copy(data.ljust(ctypes.sizeof(Control), b"\0"))
    status, record = control.status, control.record
    settings = status.settings
    fired = _counts(status.probes, status.n_probes)
    names = list(fired)
    return Snapshot(
        Status(
            pid=status.pid,
            python=_word(status.python),
            watcher="running" if status.watcher else "stopped",
            dormant=DORMANT[min(status.dormant, len(DORMANT) - 1)],
            tool_id=status.tool_id if status.tool_id >= 0 else None,
            probes_watched=[n for i, n in enumerate(names) if status.probes_watched >> i & 1],
            events_on=[n for i, n in enumerate(names) if status.events_on >> i & 1],
            only=_text(settings.only),
            exclude=_text(settings.exclude),
            values=VALUES[min(settings.values, 2)],
            slow_usec=settings.slow_usec if settings.slow_usec != NEVER else None,
            large_bytes=settings.large_bytes or None,
            check_msec=settings.check_msec,
            verbose=bool(settings.verbose),
            recorded=[client for i, client in enumerate(_RECORDERS) if record.recorded >> i & 1],
            sampler=_sampler(control.sampler),
            probes_fired={name: count for name, count in fired.items() if count},
            losses=_counts(status.losses, status.n_losses),
        ),
        answered=status.acknowledged,
        refusal=_word(status.error) if status.failed else None,
        requested=control.request.sequence,
        counts=Memory(record.address, record.size),
    )


def _sampler(raw: RawSampler) -> Sampler | None:
    if not raw.interval_usec:
        return None
    return Sampler(
        interval_usec=raw.interval_usec,
        threads=raw.threads,
        share=min(raw.share, 10_000) / 10_000,
        looks=raw.looks,
    )


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")  # up to the NUL, or all that the array holds


def _word(raw: bytes) -> str:
    """A text of our own: one with anything else than printable characters is not from us."""
    return printable(_text(raw))


def _counts(rows: "ctypes.Array[Count]", n: int) -> dict[str, int]:
    return {_word(row.name): row.count for row in rows[:n]}
