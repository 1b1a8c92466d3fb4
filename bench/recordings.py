# SPDX-License-Identifier: Apache-2.0
"""What recordings with many calling contexts cost: at the end of a run, in reports, by flushes."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.compare import Case
from bench.errors import BenchError
from bench.rows import Row, Target
from bench.stats import Sample

PROGRAM = Path(__file__).with_name("contexts.py")
LEVELS, SERVED_LEVELS = 9, 8
CONTEXTS = 3 * (4 ** (LEVELS + 1) - 1) // 3
CONTEXT_BYTES = 128
"""Of one in the call tree: see `pyusdt.record`."""
SERVED_SECONDS = 5.0
END_SECONDS, END_MB, REPORT_SECONDS, REPORT_MB, PAGE_SECONDS, SERVED = 0.5, 120, 2, 300, 5, 1.03


class Ended(NamedTuple):
    """How a program ended."""

    seconds: float
    """From its first line of output to its end."""
    megabytes: float
    """Of memory, at its peak."""
    output: list[str]


def run(words: Sequence[str | Path], number: int = 0) -> Ended:
    """Run Python with these words; at its first line it gets the signal of this number, if any."""
    with subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        begin = time.perf_counter()
        first = process.stdout.readline()
        if first == "made\n":
            begin = time.perf_counter()
        if number:
            process.send_signal(number)
        rest = process.stdout.read().splitlines()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != -number:
        raise BenchError(f"{words[-1]} has ended with {process.returncode}")
    return Ended(seconds, usage.ru_maxrss / 1024, rest)


def recorder(path: Path, *options: str) -> list[str | Path]:
    return ["-m", "pyusdt", "-o", path, "--max-nodes", "2000000", *options]


def ends(rounds: int) -> list[Row]:
    """Of runs with a million contexts."""
    case = f"{CONTEXTS:,} contexts"
    ended, killed, memory, table, room, page = [], [], [], [], [], []
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "out.pyusdt"
        program: list[str | Path] = [PROGRAM, str(LEVELS)]
        report: list[str | Path] = ["-m", "pyusdt", "report", out, "-o"]
        for _ in range(max(2, rounds // 3)):
            plain = run(program)
            recorded = run([*recorder(out), *program])
            ended.append(recorded.seconds - plain.seconds)
            counts = CONTEXTS * CONTEXT_BYTES / 2**20
            memory.append(recorded.megabytes - plain.megabytes - counts)
            stopped = run([*recorder(out), *program, "wait"], signal.SIGTERM)
            killed.append(stopped.seconds)
            shown = run([*report, out.with_suffix(".txt")])
            table.append(shown.seconds)
            room.append(shown.megabytes)
            page.append(run([*report, out.with_suffix(".html")]).seconds)
    figures = (
        ("end of the run, above that of a plain one", "s", ended, END_SECONDS),
        ("end by SIGTERM", "s", killed, END_SECONDS),
        ("peak memory above the contexts", "MB", memory, END_MB),
        ("report", "s", table, REPORT_SECONDS),
        ("report, peak memory", "MB", room, REPORT_MB),
        ("report as a page", "s", page, PAGE_SECONDS),
    )
    return [
        Row(case, name, unit, Sample(tuple(values)), target=Target(limit))
        for name, unit, values, limit in figures
    ]


def flushes(rounds: int) -> list[Row]:
    """Of a server that is recorded, with and without them."""
    figures: dict[str, tuple[list[float], list[float]]] = {"--flush 1": ([], []), "": ([], [])}
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "out.pyusdt"
        program: list[str | Path] = [PROGRAM, str(SERVED_LEVELS), "serve", str(SERVED_SECONDS)]
        for _ in range(max(3, rounds // 2)):
            for options, (mean, worst) in figures.items():
                ended = run([*recorder(out, *options.split()), *program])
                msec = [1e3 * float(word) for word in ended.output[-1].split()]
                mean.append(msec[0])
                worst.append(msec[1])
    case = f"server with {3 * (4 ** (SERVED_LEVELS + 1) - 1) // 3:,} contexts, --flush 1"
    return [
        Row(case, name, "ms", Sample(tuple(figures["--flush 1"][i])), "no flush",
            Sample(tuple(figures[""][i])), target=Target(SERVED))
        for i, name in enumerate(("request, mean", "request, 99th percentile"))
    ]  # fmt: skip


CASES = (Case("recordings of many contexts", ends), Case("flushes of a server", flushes))
