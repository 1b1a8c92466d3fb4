# SPDX-License-Identifier: Apache-2.0
"""What --only, --exclude, --thread and --process choose: from recording to recording."""

from collections.abc import Sequence

from pyusdt import patterns
from pyusdt.errors import UserError
from pyusdt.recording import Recording
from pyusdt.report.text import printable
from pyusdt.unmatched import nearest


def functions(recording: Recording, only: str, exclude: str = "") -> Recording:
    """The functions that `only` has and `exclude` has not: lists of patterns as `patterns.text`
    returns them. The time of the others belongs to their callers."""
    if not only and not exclude:
        return recording
    chosen = patterns.chooser(only, exclude)
    if not any(chosen(record.module, record.qualname) for record in recording.records):
        found = ""
        if only and "," not in only:
            found = nearest(only, ((r.module, r.qualname) for r in recording.records), ())
        hint = f"; nearest: {printable(found)}" if found else ""
        raise UserError(f"{recording.path}: no function matches {_in_words(only, exclude)}{hint}")
    return recording.only(lambda record: chosen(record.module, record.qualname))


def _in_words(only: str, exclude: str) -> str:
    words = (f"--only {only}" if only else "", f"--exclude {exclude}" if exclude else "")
    return " ".join(filter(None, words))


def thread(recording: Recording, wanted: str) -> Recording:
    """The threads of that tid, or whose name the glob matches."""
    named = patterns.glob(wanted)
    chosen = recording.select(thread=lambda t: str(t.tid) == wanted or named(t.name))
    if not chosen.threads:
        names = sorted({printable(t.name, 40) or str(t.tid) for t in recording.threads})
        raise UserError(f"{recording.path}: no thread {wanted}; there are {_some(names)}")
    return chosen


def process(recording: Recording, wanted: str) -> Recording:
    """The processes of that pid, or whose command the glob matches."""
    named = patterns.glob(wanted)
    chosen = recording.select(process=lambda p: str(p.pid) == wanted or named(p.command))
    if not chosen.processes:
        pids = [str(p.pid) for p in recording.processes]
        raise UserError(f"{recording.path}: no process {wanted}; there are {_some(pids)}")
    return chosen


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
