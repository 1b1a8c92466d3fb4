# SPDX-License-Identifier: Apache-2.0
"""bpftrace: whether it can work here, and one that runs a script."""

import contextlib
import ctypes
import math
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, Self, TextIO

from pyusdt.errors import UserError
from pyusdt.harmless import relayed
from pyusdt.remote import proc

OLDEST = (0, 17)
TRACEPOINTS_NEED_BTF = (0, 25)

# What bpftrace's own tests wait for, in all versions: a variable, and a line on stdout or
# stderr.
_NOTIFY = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"
# What bpftrace prints although nothing is wrong.
_NOISE = re.compile(
    rb"Attach(ed|ing) \d+ probes?|.*RLIMIT_MEMLOCK|.*available_filter_functions|\s*$"
    rb"|terminate called |\s*what\(\):"  # its end where its process ends meanwhile
)
_MAP_KEYS = "16384"
_PR_SET_PDEATHSIG = 1
_PATIENCE_SECONDS = 1.0
# It waits for events this long at its very end too, when a signal kills it; measured: 0.1.
_LAST_WAIT_SECONDS = 0.2


class Installed(NamedTuple):
    """A bpftrace that is new enough."""

    path: str
    version: tuple[int, ...]


class Needs(Protocol):
    """What a script wants of the kernel."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def has_kernel_events(self) -> bool:
        """Whether it needs the kernel's list of events, tracefs."""

    @property
    def has_tracepoint_arguments(self) -> bool:
        """Whether it reads what tracepoints carry."""

    @property
    def has_kernel_types(self) -> bool:
        """Whether it needs the kernel's types."""


def require(script: Needs) -> Installed:
    """Return the bpftrace that can run `script` here.

    Raises UserError, with the remedy, where there is none.
    """
    if os.geteuid() != 0:
        raise UserError("tracing needs root: run it with sudo")
    installed = _installed()
    if not os.path.exists("/sys/bus/event_source/devices/uprobe"):
        raise UserError(
            "this kernel has no uprobes, which tracers need: boot one with CONFIG_UPROBE_EVENTS"
        )
    if script.has_kernel_events and tracefs() is None:
        raise UserError(
            f"{script.name} needs the kernel's events, and tracefs is not mounted: "
            "mount -t tracefs tracefs /sys/kernel/tracing"
        )
    by_btf = installed.version >= TRACEPOINTS_NEED_BTF and script.has_tracepoint_arguments
    if (by_btf or script.has_kernel_types) and not os.path.exists("/sys/kernel/btf/vmlinux"):
        raise UserError(
            f"{script.name} needs the kernel's types, and this kernel does not have them: "
            "boot one with CONFIG_DEBUG_INFO_BTF (as distributions' kernels have)"
        )
    return installed


def tracefs() -> str | None:
    """Where the kernel's events are listed, if anywhere."""
    places = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
    return next((place for place in places if os.path.exists(f"{place}/events")), None)


def _installed() -> Installed:
    remedy = "install version 0.17 or newer, for example by: apt-get install bpftrace"
    path = shutil.which("bpftrace")
    if path is None:
        raise UserError(f"bpftrace is not installed: {remedy}")
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"v(\d+)\.(\d+)", done.stdout)
    if not found:
        raise UserError(f"{path} does not print its version: {remedy}")
    version = int(found[1]), int(found[2])
    if version < OLDEST:
        raise UserError(f"{path} is version {found[0][1:]}, which is too old: {remedy}")
    return Installed(path, version)


def _die_with_parent() -> None:
    """Run in the child: a tracer that outlives us would slow programs for ever."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Data(NamedTuple):
    """A script that prints data, and what takes each line of it."""

    source: str
    take: Callable[[bytes], None]


def _file_of(source: str) -> int:
    """A file in memory."""
    fd = os.memfd_create("pyusdt-script")
    with open(fd, "w", encoding="utf-8", closefd=False) as file:
        file.write(source)
    return fd


class Tracer:
    """A bpftrace that runs. What it prints goes to our stdout and stderr. Use it in a `with`."""

    def __init__(
        self,
        installed: Installed,
        script: Path | None,
        words: list[str],
        pid: int | None,
        data: Data | None = None,
    ) -> None:
        """Start it on `script` with these parameters, over process `pid` or all of them. With
        `data`, it is that source which runs, and each line that it prints goes there. Of the two,
        one is given."""
        self.attached = False
        self.seconds = 0.0  # from the attach to the end
        self._attached_at = math.inf
        self._ends_at = math.inf
        self._take = data.take if data else None
        self._stopping = False
        self._has_ended = False  # what is traced
        self._last_output = time.monotonic()
        selection = [] if pid is None else ["-p", str(pid)]
        options = ["-B", "line", "--no-warnings", *(["-f", "json"] if data else []), *selection]
        fds = [_file_of(data.source)] if data else []
        path = f"/proc/self/fd/{fds[0]}" if fds else str(script)
        self.child = subprocess.Popen(
            [installed.path, *options, path, *words],
            bufsize=0,
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                "BPFTRACE_MAP_KEYS_MAX": _MAP_KEYS,  # as 0.17 calls it
                "BPFTRACE_MAX_MAP_KEYS": _MAP_KEYS,
                **os.environ,
                _NOTIFY: "1",
            },
            process_group=0,  # the terminal's Ctrl-C is for us; we pass it on, and again
            preexec_fn=_die_with_parent,
        )
        for fd in fds:
            os.close(fd)
        assert self.child.stdout is not None
        assert self.child.stderr is not None
        self._open = {
            self.child.stdout.fileno(): sys.stdout,
            self.child.stderr.fileno(): sys.stderr,
        }
        self._begun = dict.fromkeys(self._open, b"")  # lines that are not whole yet
        self._blank = b""  # lines of stdout: at the end 0.17 prints one for each map

    def __enter__(self) -> Self:
        """Return the tracer itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Make sure that it is gone."""
        self.child.kill()
        self.child.communicate()

    def end_after(self, seconds: float) -> None:
        """Have it end so long after it has attached."""
        self._ends_at = self._attached_at + seconds

    def wait_attached(self, pid: int | None) -> None:
        """Wait until its probes are in place, in process `pid` or everywhere. Raises UserError when
        it ends before."""
        while not self.attached and self._open:
            self._relay()
        if not self.attached and pid is not None and proc.is_ending(pid):
            raise UserError(f"process {pid} ended before bpftrace had attached to it")
        if not self.attached and not self._stopping:
            raise UserError("bpftrace could not attach, see above")
        self._attached_at = time.monotonic()

    def relay_all(self, finished: Callable[[], bool] = lambda: False) -> int:
        """Print what it prints, until it ends; its exit code.

        It ends by itself when its process has. Should it not, it is stopped once `finished()` is
        true, which is asked often: to 0.27 a child of ours lives until we have taken its exit code.
        """
        while self._open:
            self._relay()
            late = time.monotonic() > self._ends_at
            ended = finished()
            if ended and not self._has_ended:
                self._note_end()
                self._has_ended = True
            if not self._stopping and (late or (ended and self._is_idle())):
                self.stop()
        if not self.seconds:
            self._note_end()
        return self.child.wait()

    def stop(self) -> None:
        """Have it print its maps and end. A signal handler may call this."""
        self._stopping = True
        self._last_output = time.monotonic()
        self._note_end()
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(signal.SIGINT)

    def _note_end(self) -> None:
        """What happens from now on is not counted. Of several SIGINTs, it takes the last."""
        if self.attached and not self._has_ended:
            self.seconds = time.monotonic() - self._attached_at

    def _relay(self) -> None:
        """Print what it has written, if anything comes in time."""
        ready = select.select(list(self._open), [], [], _PATIENCE_SECONDS / 4)[0]
        for source in ready:
            self._last_output = time.monotonic()
            text = os.read(source, 65536)
            lines = (self._begun[source] + text).splitlines(keepends=True)
            whole = not text or text.endswith(b"\n")
            self._begun[source] = b"" if whole else lines.pop()
            self._print(lines, self._open[source])
            if not text:
                del self._open[source]
        # Send it again: 0.17 forgets a SIGINT that does not find it asleep. Not while it prints,
        # since newer versions take the second one for an order to leave the rest out, nor while it
        # detaches, since the second one kills 0.17 then.
        if self._stopping and self._is_idle():
            self.stop()

    def _is_idle(self) -> bool:
        """Whether it has written nothing for long, and still waits for events."""
        if time.monotonic() - self._last_output <= _PATIENCE_SECONDS or not self._waits():
            return False
        time.sleep(_LAST_WAIT_SECONDS)
        return self._waits()

    def _waits(self) -> bool:
        """Whether it sleeps where it waits for events, as far as this kernel shows that."""
        try:
            with open(f"/proc/{self.child.pid}/wchan", encoding="ascii") as file:
                where = file.read()
        except OSError:
            return False  # it has ended
        return "epoll" in where or where in ("0", "")

    def _print(self, lines: list[bytes], to: TextIO) -> None:
        for line in lines:
            if line.strip() == _NOTIFY.encode():
                self.attached = True
            elif to is sys.stdout and self._take:
                self._take(line)
            elif to is sys.stdout and not line.strip():
                self._blank += line
            elif to is sys.stdout and self.attached:
                to.buffer.write(self._blank + relayed(line))
                self._blank = b""
            elif not _NOISE.match(line):
                to.buffer.write(relayed(line))
        to.flush()
