# SPDX-License-Identifier: Apache-2.0
"""What --only, --thread and --process choose: small functions from recording to recording."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase, translate

from pyusdt.errors import UserError
from pyusdt.recording import CodeRecord, Recording
from pyusdt.report.text import printable


def only(recording: Recording, patterns: Sequence[str]) -> Recording:
    """The functions that a pattern names: globs over `module:qualname`; without a colon, the module
    and all below it. The time of the others belongs to their callers."""
    matches = re.compile("|".join(_regex(pattern) for pattern in patterns)).match

    def wanted(record: CodeRecord) -> bool:
        return bool(matches(f"{record.module}:{record.qualname}"))

    if not any(wanted(record) for record in recording.records):
        raise UserError(f"{recording.path}: no function matches {' '.join(patterns)}")
    return recording.only(wanted)


def _regex(pattern: str) -> str:
    if ":" in pattern:
        return translate(pattern)
    return f"{translate(pattern + ':*')}|{translate(pattern + '.*:*')}"


def thread(recording: Recording, wanted: str) -> Recording:
    """The threads of that tid, or whose name the glob matches."""
    chosen = recording.select(thread=lambda t: str(t.tid) == wanted or fnmatchcase(t.name, wanted))
    if not chosen.threads:
        names = sorted({printable(t.name, 40) or str(t.tid) for t in recording.threads})
        raise UserError(f"{recording.path}: no thread {wanted}; there are {_some(names)}")
    return chosen


def process(recording: Recording, wanted: str) -> Recording:
    """The processes of that pid, or whose command the glob matches."""
    chosen = recording.select(
        process=lambda p: str(p.pid) == wanted or fnmatchcase(p.command, wanted)
    )
    if not chosen.processes:
        pids = [str(p.pid) for p in recording.processes]
        raise UserError(f"{recording.path}: no process {wanted}; there are {_some(pids)}")
    return chosen


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
