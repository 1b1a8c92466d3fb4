# SPDX-License-Identifier: Apache-2.0
"""What reads the events of a load while it runs: a table whose first row is "nothing"."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import peers
from bench.errors import BenchError, UnavailableError
from bench.peers import ROOT
from bench.processes import read_until
from bench.subjects import Subject

ATTACHED = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"
SCRIPTS = ROOT / "scripts"
# The time in which a sampler starts; not all of them report it.
SETTLE_SECONDS = 0.7
END_SECONDS = 60.0


class Listener:
    """A program that reads the events of a process. It has attached when it is constructed."""

    cpu_counts = False
    """Whether its own processor time counts as its cost."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            command,
            env=os.environ | {ATTACHED: "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )

    def finish(self) -> str:
        """Stop it, and return the end of its output."""
        deadline = time.monotonic() + END_SECONDS
        while True:
            self.process.send_signal(signal.SIGINT)
            try:
                output, _ = self.process.communicate(timeout=1.0)
                return output.decode(errors="replace")
            except subprocess.TimeoutExpired:
                # bpftrace 0.17 loses a signal that arrives while it does not wait.
                if time.monotonic() > deadline:
                    self.process.kill()

    def abandon(self) -> None:
        """End it, if it has not ended, after another failure."""
        if self.process.poll() is None:
            self.finish()

    def cpu_ns(self) -> int:
        """Return the processor time that it has used so far."""
        total = 0
        for schedstat in Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            total += int(schedstat.read_text().split()[0])
        return total


class Tracer(Listener):
    """An attached bpftrace."""

    def __init__(self, *arguments: str) -> None:
        super().__init__(["bpftrace", "-B", "line", *arguments])
        assert self.process.stdout is not None
        output = read_until(self.process.stdout, ATTACHED.encode())
        if ATTACHED.encode() not in output:
            self.process.kill()
            self.process.communicate()
            text = output.decode(errors="replace").strip().replace("\n", "; ")
            raise BenchError(f"bpftrace did not attach to {arguments[-1]}: {text}")


class Sampler(Listener):
    """A program that reads the process's memory from outside, many times a second."""

    cpu_counts = True

    def __init__(self, command: list[str]) -> None:
        super().__init__(command)
        time.sleep(SETTLE_SECONDS)
        if self.process.poll() is not None:
            assert self.process.stdout is not None
            lines = self.process.stdout.read().decode(errors="replace").strip().splitlines()
            output = [line for line in lines if re.search("rror|annot|not ", line)] or lines
            raise UnavailableError(f"it ended at once: {output[0] if output else 'no output'}")


@dataclass(frozen=True)
class Reader:
    """Attaches to these probes of the subject with this process id. None: no reader."""

    name: str
    attach: Callable[[Subject, tuple[str, ...], int], Listener] | None
    counts: bool = False
    """It counts each hit, for a comparison with the hits that the load made."""


def library(subject: Subject, pid: int) -> str:
    # Through /proc/PID/root: bpftrace 0.27 attaches twice to a path that -p finds, too.
    assert subject.library is not None, f"{subject.name} has no probes"
    return f"/proc/{pid}/root{subject.library()}"


def action(text: str) -> Callable[[Subject, tuple[str, ...], int], Listener]:
    """A reader that does this at each hit."""

    def attach(subject: Subject, probes: tuple[str, ...], pid: int) -> Listener:
        path = library(subject, pid)
        sites = ",".join(f"usdt:{path}:{subject.provider}:{probe}" for probe in probes)
        return Tracer("-p", str(pid), "-e", f"{sites} {text}")

    return attach


def program(text: str) -> Callable[[Subject, tuple[str, ...], int], Listener]:
    """A reader that runs a whole program, in which $1 is the library."""

    def attach(subject: Subject, probes: tuple[str, ...], pid: int) -> Listener:
        return Tracer("-p", str(pid), "-e", text, library(subject, pid))

    return attach


def pysys(subject: Subject, probes: tuple[str, ...], pid: int) -> Listener:
    return Tracer("-p", str(pid), str(SCRIPTS / "pysys.bt"), library(subject, pid))


def pybatch(subject: Subject, probes: tuple[str, ...], pid: int) -> Listener:
    return Tracer("-p", str(pid), str(SCRIPTS / "pybatch.bt"), library(subject, pid))


def pyoffcpu(subject: Subject, probes: tuple[str, ...], pid: int) -> Listener:
    return Tracer(str(SCRIPTS / "pyoffcpu.bt"), library(subject, pid), str(pid))


def py_spy(subject: Subject, probes: tuple[str, ...], pid: int) -> Listener:
    py_spy = str(peers.program_of("py-spy"))
    return Sampler([py_spy, "record", "-p", str(pid), "-d", "600", "-f", "raw", "-o", os.devnull])


def austin(subject: Subject, probes: tuple[str, ...], pid: int) -> Listener:
    # 100 times a second, like the others.
    austin = str(peers.program_of("austin"))
    return Sampler([austin, "-i", "10ms", "-p", str(pid), "-o", os.devnull])


def sampling(subject: Subject, probes: tuple[str, ...], pid: int) -> Listener:
    if sys.version_info < (3, 15):
        raise UnavailableError("Python has it from 3.15 on")
    attach = [sys.executable, "-m", "profiling.sampling", "attach", "-r", "100"]
    output = Path(tempfile.gettempdir()) / "pyusdt-bench-samples"
    return Sampler([*attach, "--collapsed", "-o", str(output), str(pid)])


READERS = {
    reader.name: reader
    for reader in (
        Reader("nothing", None),
        Reader("count", action("{ @ = count(); }"), counts=True),
        # Counts only some of the hits.
        Reader("some", action("{ @some = count(); }")),
        # For function__slow, which no fast call fires, and for the slots, which other events read.
        Reader("slow", action("{ @slow[str(arg0)] = count(); }")),
        # By function.
        Reader("by id", action("{ @[arg5] = count(); }")),
        # How long calls of each take, measured inside the program or by the tracer.
        Reader("latency", action("{ @[arg3] = hist(arg5); }")),
        Reader(
            "latency of cpython",
            program(
                "usdt:$1:python:function__entry { @begin[tid, @depth[tid]] = nsecs;"
                " @depth[tid] += 1; }"
                " usdt:$1:python:function__return /@depth[tid] > 0/ { @depth[tid] -= 1;"
                " @[arg1] = hist(nsecs - @begin[tid, @depth[tid]]);"
                " delete(@begin[tid, @depth[tid]]); }"
            ),
        ),
        Reader("slots", action("{ @slot[arg0] = arg1; }")),
        Reader("pybatch", pybatch),
        Reader("pysys", pysys),
        Reader("pyoffcpu", pyoffcpu),
        Reader("py-spy", py_spy),
        Reader("austin", austin),
        Reader("profiling.sampling", sampling),
    )
}


def require_tracer() -> None:
    """Raise UnavailableError where bpftrace cannot attach; as root, try to install it."""
    if os.geteuid() != 0:
        raise UnavailableError("bpftrace needs root to attach; run: sudo make bench")
    if shutil.which("bpftrace") is None:
        needed = subprocess.run([ROOT / "tools" / "need", "bpftrace"], check=False)
        if needed.returncode != 0:
            raise UnavailableError("bpftrace is not installed; install it and run make bench again")


def counted(output: str) -> int:
    """Return how many hits a counting tracer has printed."""
    return sum(map(int, re.findall(r"^@: (\d+)$", output, re.MULTILINE)))
