# SPDX-License-Identifier: Apache-2.0
"""Which processes of a run are there still."""

from collections.abc import Iterator
from contextlib import suppress

from pyusdt import rundir
from pyusdt.recording.parts import Part
from pyusdt.system import io, os, time

_MOST_CHILDREN = 10_000


def may_run(part: Part) -> bool:
    """Whether the process may be there still; one in another container may always be."""
    here = rundir.where()
    if any(part.about.get(key) != here[key] for key in ("host", "boot", "namespace")):
        return part.about.get("host") != here["host"] or part.about.get("boot") == here["boot"]
    try:
        with io.open(f"/proc/{part.process.pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return False
    began = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # since boot, in seconds
    suspended = _seconds_of("CLOCK_BOOTTIME") - _seconds_of("CLOCK_MONOTONIC")
    later = began - suspended > part.process.started_monotonic_ns / 1e9 + 0.1
    return fields[0] not in (b"Z", b"X") and not later


def _seconds_of(clock: str) -> float:
    return time.clock_gettime(getattr(time, clock))


def children() -> set[int]:
    """Children of this process that run, and theirs."""
    found: set[int] = set()
    above = ["self"]
    while above and len(found) < _MOST_CHILDREN:
        below = [pid for pid in _children_of(above.pop()) if _lives(pid) and pid not in found]
        found.update(below)
        above += map(str, below)
    return found


def _children_of(pid: str) -> Iterator[int]:
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), io.open(f"/proc/{pid}/task/{task}/children") as file:
                yield from map(int, file.read().split())


def _lives(pid: int) -> bool:
    with suppress(OSError), io.open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    return False
