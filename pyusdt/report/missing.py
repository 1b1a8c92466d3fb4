# SPDX-License-Identifier: Apache-2.0
"""Programs that recorded processes have started, and that are not in the recording."""

import os
from collections import Counter, defaultdict
from itertools import islice

from pyusdt.recording import Recording
from pyusdt.recording.records import Process
from pyusdt.report.text import plural, printable

_SHELLS = ("sh", "bash", "dash")
_MOST = 6
_MOST_PAIRS = 3_000_000
"""That are looked at: there are few, but where a recording has one pid again and again."""


def programs(recording: Recording) -> Counter[str]:
    """They by name, and how often. A shell that has put a recorded program in its place is not
    among them."""
    left = {it.id: Counter(recording.started.get(it.id, {})) for it in recording.processes}
    near: defaultdict[int, list[Process]] = defaultdict(list)
    for process in recording.processes:
        for pid in {process.parent_pid, process.pid}:
            near[pid].append(process)
    starters = (process for process in recording.processes if left[process.id])
    pairs = ((process, other) for process in starters for other in near[process.pid])
    for process, other in islice(pairs, _MOST_PAIRS):
        if _is_started_by(process, other):
            _take(left[process.id], other)
    missing: Counter[str] = Counter()
    for counter in left.values():
        missing.update(counter)
    return +missing


def line(recording: Recording) -> str:
    """What a report says of them, "" where there are none."""
    missing = programs(recording)
    if not missing:
        return ""
    names = [f"{printable(name, 60)} ({count:,})" for name, count in missing.most_common(_MOST)]
    if len(missing) > _MOST:
        names.append(f"{len(missing) - _MOST:,} more")
    number = plural(missing.total(), "program", "programs")
    return f"note: {number} started that did not join the recording: {', '.join(names)}"


def _is_started_by(process: Process, other: Process) -> bool:
    """Whether it is a program that the process, whose pid it names, has started, or has become by
    os.exec*."""
    if other is process or other.forked or other.host != process.host:
        return False
    return other.started_ns >= process.started_ns and "--multiprocessing-fork" not in other.command


def _take(left: Counter[str], other: Process) -> None:
    program = _base(other.command.partition(" ")[0])
    for name in left:
        if left[name] > 0 and _base(name) in (program, *_SHELLS):
            left[name] -= 1
            return


def _base(program: str) -> str:
    return os.path.basename(program)
