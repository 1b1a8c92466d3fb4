# SPDX-License-Identifier: Apache-2.0
"""Parts: what single processes have recorded, as include/pyusdt_part.h lays it out in files.

They are read as what they may be, bytes of anybody: checked, and left out where they are not right.
"""

import struct
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from json import loads
from struct import Struct
from typing import Any

from pyusdt import patterns
from pyusdt.files import open_regular
from pyusdt.recording.counts import NOTHING, Counts, unpack
from pyusdt.recording.kernel_file import OfProcess
from pyusdt.recording.records import Process
from pyusdt.recording.snapshot import FunctionRow, Snapshot
from pyusdt.recording.source import Source, list_of
from pyusdt.recording.totals import Totals
from pyusdt.system import os

SUFFIX = ".part"
NEW = ".new"
"""Added to it while the part is written."""
FRAME = Struct("=IIQqII")
PROCESS = Struct("=32s32sIIqQ")
_MAGIC = 0x35705950
_PROCESS, _BASE, _BEFORE, _COUNTS, _CHANGES, _END, _STARTED = range(1, 8)
_HEX = frozenset(b"0123456789abcdef")
_LARGEST = 4 << 30


@dataclass
class Part:
    """What one process has recorded, once, of one recording."""

    name: str
    token: str
    """Of the process."""
    process: Process
    about: dict[str, Any]
    """host, command, python, only, exclude, c_calls, flush, threads (serials), boot, namespace."""
    base: bytes = b""
    before: bytes = b""
    counts: list[bytes] = field(default_factory=list)
    """One that is whole, and the changes since."""
    started: dict[str, int] = field(default_factory=dict)
    """Programs by name, and how often the process has started them."""
    sources: dict[str, Source] = field(default_factory=dict)
    """Texts of files by name, where they have been read, too."""
    is_gone: bool = False
    """Its process, as far as is known; the part is what it has left."""


def list_of_sources(part: Part) -> str:
    """The name of the file that lists its sources, or ""."""
    return list_of(part.about.get("sources"), part.process.pid)


def read(name: str, directory: int) -> Part | None:
    """The part in the file `name` of an open directory; None: it is none, or not yet."""
    with suppress(OSError, ValueError), open_regular(name, directory) as file:
        if os.fstat(file.fileno()).st_size > _LARGEST:
            return None
        return _part(name, file.read())
    return None


def _part(name: str, data: bytes) -> Part | None:
    part: Part | None = None
    why: str | None = None
    moment = 0
    for kind, at, payload in _frames(data):
        moment = at
        if kind == _PROCESS:
            part = _beginning(name, payload)
        elif part is None:
            return None
        elif kind == _BASE:
            part.base = payload
        elif kind == _BEFORE:
            part.before = payload
        elif kind == _COUNTS:
            part.counts = [payload]
        elif kind == _CHANGES:
            part.counts.append(payload)
        elif kind == _STARTED:
            part.started = _started(payload)
        why = payload.decode(errors="backslashreplace") if kind == _END else None
    if part is not None:
        ended = None if why is None else moment
        part.process = replace(part.process, updated_ns=moment, ended_ns=ended, reason=why)
    return part


def _frames(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Kind, moment and payload of each, until the first that is cut off or damaged."""
    at = 0
    while at + FRAME.size <= len(data):
        magic, kind, size, moment, payload_crc, frame_crc = FRAME.unpack_from(data, at)
        begin = at + FRAME.size
        payload = data[begin : begin + size]
        if (
            magic != _MAGIC
            or zlib.crc32(data[at : begin - 4]) != frame_crc
            or len(payload) != size
            or zlib.crc32(payload) != payload_crc
        ):
            return
        yield kind, moment, payload
        at = begin + size


def _started(payload: bytes) -> dict[str, int]:
    started = {}
    while len(payload) > 8:
        program, _, rest = payload[8:].partition(b"\0")
        count = int.from_bytes(payload[:8], sys.byteorder)
        started[program.decode(errors="backslashreplace")] = min(count, 2**63 - 1)
        payload = rest
    return started


def _beginning(name: str, payload: bytes) -> Part | None:
    try:
        token, parent, pid, parent_pid, started, monotonic = PROCESS.unpack_from(payload)
        about = loads(payload[PROCESS.size :])
    except (struct.error, RecursionError):
        return None
    if not _HEX.issuperset(token):
        return None
    if not isinstance(about, dict):
        return None

    def text(key: str) -> str:
        return str(about.get(key, ""))

    process = Process(
        id=0,
        pid=pid,
        parent_pid=parent_pid,
        host=text("host"),
        command=text("command"),
        python=text("python"),
        started_ns=started,
        started_monotonic_ns=min(monotonic, 2**63 - 1),
        forked=parent[0] != 0,
        flush_ns=_flush_ns(about.get("flush")),
        paths=paths_of(about.get("paths")),
    )
    return Part(name, token.decode(), process, about)


def paths_of(paths: object) -> tuple[str, ...]:
    """The texts in a list, if it is one."""
    if not isinstance(paths, list):
        return ()
    return tuple(path for path in paths if isinstance(path, str))


def _flush_ns(flush: object) -> int:
    if isinstance(flush, (int, float)) and 0 < flush < 1e9:
        return int(flush * 1e9)
    return 0


def snapshot_of(parts: list[Part], kernel: OfProcess | None = None) -> Snapshot:
    """What the parts of one process hold together, and the kernel's account of it. Raises
    ValueError where they make no sense."""
    functions: dict[int, FunctionRow] = {}
    whole = Snapshot()
    totals: Totals | None = None
    for part in parts:
        about = part.about
        wanted = patterns.row_chooser(
            str(about.get("only", "")), str(about.get("exclude", "")), bool(about.get("c_calls"))
        )
        if totals is None:
            totals = Totals(wanted)
        totals.want(wanted)
        if part.base:
            totals.update(unpack(part.base, functions), NOTHING, functions)
            totals.settle()
        before = unpack(part.before, functions) if part.before else NOTHING
        now = merged([unpack(data, functions) for data in part.counts])
        rows = kernel.rows if kernel and part is parts[-1] else ()
        whole = totals.update(now, before, functions, _serials(about), rows)
        totals.settle()
    whole.started = started_by(parts)
    if kernel:
        kernel.note(whole)
    return whole


def started_by(parts: Sequence[Part]) -> dict[str, int]:
    """What a process of these parts has started: each of them counts from its beginning."""
    started: dict[str, int] = {}
    for part in parts:
        for program, count in part.started.items():
            started[program] = max(count, started.get(program, 0))
    return started


def _serials(about: dict[str, Any]) -> set[int] | None:
    serials = about.get("threads")
    if not isinstance(serials, list):
        return None
    return {serial for serial in serials if isinstance(serial, int)}


def merged(counts: list[Counts]) -> Counts:
    """One that is whole, and the changes since, as one."""
    if len(counts) < 2:
        return counts[0] if counts else NOTHING
    last = counts[-1]
    threads = {row.serial: row for c in counts for row in c.threads}
    nodes = {row.key: row for c in counts for row in c.nodes}
    totals = {row.key: row for c in counts for row in c.totals}
    charges = {row.key: row for c in counts for row in c.charges}
    lines = {row.key: row for c in counts for row in c.lines}
    memory = {row.key: row for c in counts for row in c.memory}
    resident = {row.at_ns: row for c in counts for row in c.resident}
    histograms: dict[tuple[int, int], list[Any]] = {}
    for one in counts:
        latest: dict[tuple[int, int], list[Any]] = {}
        for row in one.histograms:
            latest.setdefault(row.key, []).append(row)
        histograms.update(latest)
    return Counts(
        ns_per_tick=last.ns_per_tick,
        threads=list(threads.values()),
        nodes=[nodes[key] for key in sorted(nodes)],
        totals=list(totals.values()),
        histograms=[row for rows in histograms.values() for row in rows],
        losses=last.losses,
        steps=[step for c in counts for step in c.steps],
        now=last.now,
        now_ns=last.now_ns,
        charges=list(charges.values()),
        lines=list(lines.values()),
        memory=list(memory.values()),
        resident=list(resident.values()),
        sampled=last.sampled,
        times_sampled=last.times_sampled,
        memory_kinds=last.memory_kinds,
        living=_last(c.living for c in counts),
        points=_last(c.points for c in counts),
        growth=_last(c.growth for c in counts),
        step_memory={number: it for c in counts for number, it in c.step_memory.items()},
    )


def _last[Row](sections: Iterable[list[Row]]) -> list[Row]:
    """What is handed over whole, when it is."""
    found: list[Row] = []
    for rows in sections:
        found = rows or found
    return found
