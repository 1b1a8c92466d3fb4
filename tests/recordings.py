# SPDX-License-Identifier: Apache-2.0
"""Recordings with known answers, and the names that every format must survive."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pyusdt.recording import Snapshot
from pyusdt.recording.charges import ChargeRow
from pyusdt.recording.kernel import KernelRow
from pyusdt.recording.snapshot import (
    FunctionRow,
    HistogramRow,
    LineRow,
    NodeRow,
    StepRow,
    ThreadRow,
    TotalRow,
)
from pyusdt.recording.source import Source

HOSTILE = [
    "",
    " ",
    "</script><script>alert(1)</script>",
    "<!--",
    "semi;colon",
    "new\nline\r\n",
    "tab\tand\x1b[31mescape\x07",
    "surrogate\udc80",
    "nul\0inside",
    "quote\"s 'and' `more` \\",
    "[bold]markup[/bold] [/]",
    "=cmd|' /C calc'!A0",
    "naïve 日本語 🐍",
    "\u2028\u2029\u202eright to left",
    "10 kB " + "x" * 10_240,
]

MS = 1_000_000


def snapshot_of(
    threads: Iterable[Any] = (),
    functions: Iterable[Any] = (),
    nodes: Iterable[Any] = (),
    histograms: Iterable[Any] = (),
    steps: Iterable[Any] = (),
    losses: dict[str, int] | None = None,
    totals: Iterable[Any] = (),
    charges: Iterable[Any] | None = None,
    kernel: Iterable[Any] | None = None,
    times: str = "exact",
    lines: Iterable[Any] = (),
    sources: dict[str, str] | None = None,
) -> Snapshot:
    """A snapshot of plain tuples. Without charges, or the kernel's rows, these are not known."""
    return Snapshot(
        [ThreadRow(*row) for row in threads],
        [FunctionRow(*row) for row in functions],
        [NodeRow(*row) for row in nodes],
        [HistogramRow(*row) for row in histograms],
        [StepRow(*row) for row in steps],
        losses or {},
        [TotalRow(*row) for row in totals],
        charges=[ChargeRow(*row) for row in charges or ()],
        sampled=charges is not None,
        times=times,
        kernel_rows=[KernelRow(*row) for row in kernel or ()],
        kernel=None if kernel is None else "",
        lines=[LineRow(*row) for row in lines],
        sources={file: Source.of(text) for file, text in (sources or {}).items()},
    )


def snapshot(scale: int = 1) -> Snapshot:
    """Two threads. Main: main -> parse -> parse -> read, main -> read. Worker: run -> read.

    In ms, times `scale`: main 100 (10 of its own), its parse 60 (20), below it parse 30 (20) and
    read 10; the first parse's own read 10; read below main 30; run 50 (45), its read 5.
    """
    ms = MS * scale
    return snapshot_of(
        threads=[(100, "MainThread", 100 * ms), (101, "worker-1", 50 * ms)],
        functions=[
            (7, "app", "main", "main", "/srv/app.py", 1),
            (8, "app.parser", "Parser.parse", "parse", "/srv/parser.py", 10),
            (9, "app.io", "read", "read", "/srv/io.py", 20),
            (10, "app", "run", "run", "/srv/app.py", 30),
        ],
        nodes=[
            (0, 0, -1, 7, 1, 0, 0, 100 * ms, 10 * ms),
            (0, 1, 0, 8, 3, 0, 1, 60 * ms, 20 * ms),
            (0, 2, 1, 8, 4, 0, 0, 30 * ms, 20 * ms),
            (0, 3, 2, 9, 5, 2, 0, 10 * ms, 10 * ms),
            (0, 4, 1, 9, 6, 0, 0, 10 * ms, 10 * ms),
            (0, 5, 0, 9, 7, 0, 0, 30 * ms, 30 * ms),
            (1, 0, -1, 10, 1, 0, 0, 50 * ms, 45 * ms),
            (1, 1, 0, 9, 2, 0, 0, 5 * ms, 5 * ms),
        ],
        histograms=[
            (7, 100 * ms, 1),
            (8, 10 * ms, 7),
            (9, 1 * ms, 10),
            (9, 4 * ms, 10),
            (10, 50 * ms, 1),
        ],
        steps=[
            ("load", "step", 1, 1000, 20 * ms, None),
            ("size", "mark", 2, 2000, None, 42),
            ("load", "step", 3, 3000, 40 * ms, None),
            ("state", "mark", 4, 4000, None, "ready"),
        ],
        losses={"nodes": 3, "events": 0},
    )


def charged(kernel: bool = False) -> Snapshot:
    """A program that works, waits and calls C functions, with what a sampler charged to it.

    In ms: main 100 (10 of its own: 9 CPU, 1 for a CPU) -> work 50 (30: 20 user, 5 system, 5 GIL;
    and 20 in builtins.sorted, all user) -> work 10 (8 user, 2 GIL); main -> read 30 (30: 10 disk,
    10 net, 9 poll, 1 in system call 17), and 5 more user in contexts given up. The worker: 200 in
    _worker (198 lock, 1 user), and 1 user outside of all functions. main, work and read of `app`.
    """
    ms = MS
    rows = [
        (0, 0, 1, "user", 0, 9, 9 * ms),
        (0, 0, 1, "runnable", 0, 1, 1 * ms),
        (0, 1, 2, "user", 0, 20, 20 * ms),
        (0, 1, 2, "system", 0, 5, 5 * ms),
        (0, 1, 2, "gil", 0, 1, 5 * ms),
        (0, 2, 4, "user", 0, 20, 20 * ms),
        (0, 3, 2, "user", 0, 8, 8 * ms),
        (0, 3, 2, "gil", 0, 1, 2 * ms),
        (0, 4, 3, "disk", 0, 10, 10 * ms),
        (0, 4, 3, "net", 0, 10, 10 * ms),
        (0, 4, 3, "poll", 0, 9, 9 * ms),
        (0, 4, 3, "other", 17, 1, 1 * ms),
        (0, -1, 3, "user", 0, 5, 5 * ms),
        (1, 0, 5, "lock", 0, 198, 198 * ms),
        (1, 0, 5, "user", 0, 1, 1 * ms),
        (1, -1, -1, "user", 0, 1, 1 * ms),
    ]
    of_kernel = [
        (0, 4, 3, "syscall", "read", 7, 21 * ms, 0, 1),
        (0, 4, 3, "read", "file", 7, 0, 4096, 0),
        (0, 4, 3, "offcpu", "disk", 3, 11 * ms, 0, 0),
        (0, 1, 2, "fault", "minor", 23, 0, 0, 0),
        (1, 0, 5, "offcpu", "lock", 2, 199 * ms, 0, 0),
        (-1, -1, -1, "syscall", "futex", 5, 2 * ms, 0, 0),
    ]
    return snapshot_of(
        threads=[(100, "MainThread", 100 * ms), (101, "worker-1", 200 * ms)],
        functions=[
            (1, "app", "main", "main", "/srv/app.py", 1),
            (2, "app", "work", "work", "/srv/app.py", 10),
            (3, "app", "read", "read", "/srv/app.py", 20),
            (4, "builtins", "sorted", "sorted", "", 0),
            (5, "concurrent.futures.thread", "_worker", "_worker", "/lib/thread.py", 30),
        ],
        nodes=[
            (0, 0, -1, 1, 1, 0, 0, 100 * ms, 10 * ms),
            (0, 1, 0, 2, 1, 0, 0, 60 * ms, 30 * ms),
            (0, 2, 1, 4, 4, 0, 0, 20 * ms, 20 * ms),
            (0, 3, 1, 2, 3, 0, 0, 10 * ms, 10 * ms),
            (0, 4, 0, 3, 2, 0, 0, 30 * ms, 30 * ms),
            (1, 0, -1, 5, 1, 0, 0, 200 * ms, 200 * ms),
        ],
        charges=rows,
        kernel=of_kernel if kernel else None,
    )


LINED_SOURCE = """\
def main():
    for item in range(3):
        work(item)


def work(item):
    if item < 0:
        raise ValueError(item)
    total = sum(range(item))
    return total
"""
LINED_FILE = "/srv/lined.py"


def lined(charges: bool = False, file: str = LINED_FILE) -> Snapshot:
    """`LINED_SOURCE` in two threads: main, 100 ms (10 of its own), and work below it, 90 ms; work
    alone in the worker, 20 ms, where its one call raises.

    In ms, total and own: line 2: 4 hits, 6 and 6; line 3: 3 hits, 94 and 4. Line 7: 4 hits, 6 and
    6; line 8: 1 hit and error, 14 and 14; line 9: 3 hits, 80 and 80; line 10: 3 hits, 10 and 10.
    With charges: line 9 has 70 user and 10 gil, line 8 has 14 sleep, line 3 has 4 user.
    """
    ms = MS
    rows = [
        (0, 0, 1, "user", 0, 6, 6 * ms, 2),
        (0, 0, 1, "user", 0, 4, 4 * ms, 3),
        (0, 1, 2, "user", 0, 70, 70 * ms, 9),
        (0, 1, 2, "gil", 0, 1, 10 * ms, 9),
        (0, 1, 2, "user", 0, 10, 10 * ms, 10),
        (1, 0, 2, "sleep", 0, 14, 14 * ms, 8),
        (1, 0, 2, "user", 0, 6, 6 * ms),
    ]
    return snapshot_of(
        threads=[(100, "MainThread", 100 * ms), (101, "worker-1", 20 * ms)],
        functions=[
            (1, "lined", "main", "main", file, 1),
            (2, "lined", "work", "work", file, 6),
        ],
        nodes=[
            (0, 0, -1, 1, 1, 0, 0, 100 * ms, 10 * ms),
            (0, 1, 0, 2, 3, 0, 0, 90 * ms, 90 * ms),
            (1, 0, -1, 2, 1, 0, 1, 20 * ms, 20 * ms),
        ],
        charges=rows if charges else None,
        lines=[
            (0, 1, 2, 4, 0, 6 * ms, 6 * ms),
            (0, 1, 3, 3, 0, 94 * ms, 4 * ms),
            (0, 2, 7, 3, 0, 0, 0),
            (0, 2, 9, 3, 0, 80 * ms, 80 * ms),
            (0, 2, 10, 3, 0, 10 * ms, 10 * ms),
            (1, 2, 7, 1, 0, 6 * ms, 6 * ms),
            (1, 2, 8, 1, 1, 14 * ms, 14 * ms),
        ],
        sources={file: LINED_SOURCE},
    )


def given_up(totals: bool = True) -> Snapshot:
    """main 100 ms (10 of its own) -> walk 60 (20) -> 40 in contexts given up; main -> 30 given up.

    There `walk` had 900 calls and 50 ms more of its own, `leaf` 1000 calls and 20 ms.
    """
    return snapshot_of(
        threads=[(100, "MainThread", 100 * MS)],
        functions=[
            (1, "app", "main", "main", "/srv/app.py", 1),
            (2, "app", "walk", "walk", "/srv/app.py", 10),
            (3, "lib", "leaf", "leaf", "/srv/lib.py", 20),
        ],
        nodes=[
            (0, 0, -1, 1, 1, 0, 0, 100 * MS, 10 * MS),
            (0, 1, 0, 2, 100, 0, 0, 60 * MS, 20 * MS),
        ],
        losses={"calls beyond max_nodes": 1900},
        totals=[
            (0, 1, 1, 1, 0, 0, 100 * MS, 10 * MS),
            (0, 2, 1000, 100, 0, 0, 90 * MS, 70 * MS),
            (0, 3, 1000, 1000, 0, 0, 20 * MS, 20 * MS),
        ]
        * totals,
    )


def hostile() -> Snapshot:
    """Every hostile name as module, qualname, file, thread, step and loss."""
    n = len(HOSTILE)
    return snapshot_of(
        threads=[(index + 1, name, MS) for index, name in enumerate(HOSTILE)],
        functions=[(i, name, name, name, name, i) for i, name in enumerate(HOSTILE)],
        nodes=[
            (thread, i, i - 1, (thread + i) % n, 1, 0, 0, (n - i) * MS // n, MS // n)
            for thread in range(n)
            for i in range(n)
        ],
        histograms=[(i, 80, n) for i in range(n)],
        steps=[
            *((name, "step", i, i * 100, MS, None) for i, name in enumerate(HOSTILE)),
            *((name + "m", "mark", n + i, i * 100, None, name) for i, name in enumerate(HOSTILE)),
        ],
        losses=dict.fromkeys(HOSTILE, 1),
    )


def with_lines(data: Snapshot) -> Snapshot:
    """With lines of all its functions, and each file's name as its text."""
    lines = [(0, f.id, f.line + n, 1, 1, MS, MS) for f in data.functions for n in (0, 1)]
    texts = {f.file: f"{f.name}\n" * 3 for f in data.functions}
    lined = snapshot_of(lines=lines, sources=texts)
    return replace(data, lines=lined.lines, sources=lined.sources)
