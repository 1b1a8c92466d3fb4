# SPDX-License-Identifier: Apache-2.0
"""Who listens to a load while it runs: a table whose first row is "nothing"."""

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError, UnavailableError
from bench.peers import ROOT

ATTACHED = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"


@dataclass(frozen=True)
class Reader:
    """What a tracer does at every hit of the probes; no action is no tracer."""

    name: str
    action: str | None
    counts: bool = False
    """Each hit, so that they can be compared with those that were made."""


READERS = {
    reader.name: reader
    for reader in (
        Reader("nothing", None),
        Reader("count", "{ @ = count(); }", counts=True),
        # Of a part of the hits.
        Reader("some", "{ @some = count(); }"),
        # Of function__slow, which is hit by no fast call, and of the slots, read in other events.
        Reader("slow", "{ @slow[str(arg0)] = count(); }"),
        Reader("slots", "{ @slot[arg0] = arg1; }"),
    )
}


def require_tracer() -> None:
    """Raise UnavailableError where bpftrace cannot attach; as root, try to install it."""
    if os.geteuid() != 0:
        raise UnavailableError("bpftrace needs root to attach; run: sudo make bench")
    if shutil.which("bpftrace") is None:
        needed = subprocess.run([ROOT / "tools" / "need", "bpftrace"], check=False)
        if needed.returncode != 0:
            raise UnavailableError("bpftrace is not here; install it and run make bench again")


class Tracer:
    """A bpftrace that listens to some probes of one process. Attached once it is made."""

    def __init__(self, action: str, library: Path, probes: tuple[str, ...], pid: int) -> None:
        # Through /proc/PID/root: bpftrace 0.27 attaches twice to a path that -p finds as well.
        sites = ",".join(f"usdt:/proc/{pid}/root{library}:pyusdt:{probe}" for probe in probes)
        self.script = f"{sites} {action}"
        self.process = subprocess.Popen(
            ["bpftrace", "-B", "line", "-p", str(pid), "-e", self.script],
            env=os.environ | {ATTACHED: "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if ATTACHED in line:
                return
        self.process.wait()
        raise BenchError(f"bpftrace did not attach to {self.script}: {said}")

    def finish(self) -> int:
        """Detach; how many hits it counted."""
        self.process.send_signal(signal.SIGINT)
        output, _ = self.process.communicate()
        counts = re.findall(r"^@: (\d+)$", output, re.MULTILINE)
        return sum(map(int, counts))

    def abandon(self) -> None:
        """End it, if it has not ended; for when something else went wrong."""
        if self.process.poll() is None:
            self.finish()
