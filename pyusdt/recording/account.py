# SPDX-License-Identifier: Apache-2.0
"""Where the time went, of everything, of each process and of each thread."""

from dataclasses import dataclass

from pyusdt.recording.charges import NONE, Charges, total
from pyusdt.recording.model import Recording
from pyusdt.recording.records import Process, Thread


@dataclass(frozen=True, slots=True)
class Account:
    """Wall time, and what was charged: CPU time and waits of all threads together."""

    wall_ns: int
    charges: Charges

    @property
    def gil_contention(self) -> float | None:
        """The share (0..1) of the time in which a thread wanted the GIL that it waited for it; None
        where none wanted it, or that is not known."""
        gil, cpu = self.charges.of("gil"), self.charges.cpu_ns
        return gil / (gil + cpu) if gil + cpu else None


@dataclass(frozen=True, slots=True)
class ThreadAccount(Account):
    """Of one thread, or of several that are shown as one."""

    thread: Thread


@dataclass(frozen=True, slots=True)
class ProcessAccount(Account):
    """Of one process, with those of its threads, in their order."""

    process: Process
    threads: list[ThreadAccount]


@dataclass(frozen=True, slots=True)
class RecordingAccount(Account):
    """Of a recording, with those of its processes and threads, in their order."""

    processes: list[ProcessAccount]
    threads: list[ThreadAccount]


def account(recording: Recording) -> RecordingAccount:
    """Where the time of a recording went. What is charged is empty where no sampler ran."""
    threads = [
        ThreadAccount(thread.elapsed_ns, thread.charges or NONE, thread)
        for thread in recording.threads
    ]
    by_process: dict[int, list[ThreadAccount]] = {}
    for one in threads:
        by_process.setdefault(one.thread.process, []).append(one)
    processes = [_together(it, by_process.get(it.id, [])) for it in recording.processes]
    return RecordingAccount(
        _wall_ns(processes), total(one.charges for one in threads), processes, threads
    )


def _together(process: Process, threads: list[ThreadAccount]) -> ProcessAccount:
    wall_ns = max((t.wall_ns for t in threads), default=0)
    return ProcessAccount(wall_ns, total(t.charges for t in threads), process, threads)


def _wall_ns(processes: list[ProcessAccount]) -> int:
    """From the first start to the last end, where these are known."""
    longest = max((it.wall_ns for it in processes), default=0)
    known = [it for it in processes if 0 < it.process.started_ns < it.process.updated_ns]
    if len(known) < 2:
        return longest
    first = min(it.process.started_ns for it in known)
    return max(max(it.process.updated_ns for it in known) - first, longest)
