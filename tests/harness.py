# SPDX-License-Identifier: Apache-2.0
"""Programs and tracers for the tests: start them, wait for a word of theirs, stop them."""

from __future__ import annotations

import functools
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from notes import notes

ROOT = Path(__file__).resolve().parent.parent
INSIDE = ROOT / "tests" / "inside"
LIBRARY = (ROOT / "libpyusdt.so").resolve()
# More variables for the programs, not for the tracers: tools/sanitize has some.
VARIABLES: dict[str, str] = json.loads(os.environ.get("PYUSDT_TEST_VARIABLES", "{}"))
# What is enabled for LINE: without PY_START, 3.13 and later lose it in functions of one line.
LINE_EVENTS = ("PY_START", "LINE") if sys.version_info >= (3, 13) else ("LINE",)
# How long a word may take before the test fails. Never waited out when all is well.
DEADLINE = float(os.environ.get("PYUSDT_TEST_DEADLINE", "60"))


class Process:
    """A child whose output, stdout and stderr together, can be waited for word by word."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        pass_fds: Collection[int] = (),
        start_new_session: bool = False,
    ) -> None:
        self.argv = [str(a) for a in argv]
        self.output = ""
        self._seen = 0
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.child = subprocess.Popen(
            self.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="backslashreplace",
            env=env,
            cwd=cwd,
            pass_fds=pass_fds,
            start_new_session=start_new_session,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.child.pid

    def _read(self) -> None:
        assert self.child.stdout
        for line in self.child.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def expect(self, pattern: str, deadline: float = DEADLINE) -> re.Match[str]:
        """Wait until `pattern` matches what was written since the last expect()."""
        end = time.monotonic() + deadline
        while True:
            found = re.compile(pattern, re.MULTILINE).search(self.output, self._seen)
            if found:
                self._seen = found.end()
                return found
            try:
                line = self._lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(self._missing(pattern, f"within {deadline:g} s")) from None
            if line is None:
                self._lines.put(None)
                raise AssertionError(self._missing(pattern, "before it ended"))
            self.output += line

    def _missing(self, pattern: str, when: str) -> str:
        return f"{self.argv}\ndid not say {pattern!r} {when}; it said:\n{self.output}"

    def heard(self) -> str:
        """All that it has written so far."""
        while not self._lines.empty():
            line = self._lines.get()
            if line is None:
                self._lines.put(None)
                break
            self.output += line
        return self.output

    def send(self, text: str) -> None:
        assert self.child.stdin
        self.child.stdin.write(text + "\n")
        self.child.stdin.flush()

    def wait(self, deadline: float = DEADLINE) -> int:
        """Wait for the end; the exit code. All output is in `output` then."""
        if self.child.stdin and not self.child.stdin.closed:
            self.child.stdin.close()
        try:
            code = self.child.wait(deadline)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.argv}\ndid not end; it said:\n{self.output}") from None
        self._drain()
        return code

    def _drain(self) -> None:
        self._reader.join(DEADLINE)
        while (line := self._lines.get()) is not None:
            self.output += line
        self._lines.put(None)

    def kill(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self._drain()
        if self.child.stdin and not self.child.stdin.closed:
            self.child.stdin.close()
        if self.child.stdout:
            self.child.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()


def environment(**variables: str) -> dict[str, str]:
    """The environment of a traced program: verbose, since the tests wait for its words."""
    return {
        **os.environ,
        **VARIABLES,
        "PYTHONPATH": str(ROOT),
        "PYUSDT_VERBOSE": "1",
        "PYUSDT_CHECK_MSEC": "10",
        **variables,
    }


def inside(**variables: str) -> dict[str, str]:
    """The environment of a program that raises semaphores itself: see inside/semaphores.py."""
    addresses = {name: note.semaphore for name, note in notes(LIBRARY).items()}
    return {
        **os.environ,
        **VARIABLES,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(INSIDE)]),
        "PYUSDT_CHECK_MSEC": "1",
        "PYUSDT_TEST_SEMAPHORES": json.dumps({"library": str(LIBRARY), "semaphores": addresses}),
        **variables,
    }


class Program(Process):
    """A Python program with pyusdt in it. It runs to `input()`s, which the test answers."""

    def __init__(self, *argv: str | Path, python: Sequence[str] = (), **variables: str) -> None:
        super().__init__([sys.executable, *python, *argv], env=environment(**variables))

    def expect_on(self, *events: str) -> None:
        """Wait until exactly these events are on."""
        self.expect(rf"^pyusdt: enabled, tool id \d: {' '.join(events)}$")

    def expect_off(self) -> None:
        self.expect(r"^pyusdt: disabled$")


class Tracer(Process):
    """A real bpftrace. Attached when the constructor returns."""

    def __init__(
        self,
        script: str | Path,
        pid: int | None = None,
        *options: str,
        parameters: Sequence[str] = (),
    ) -> None:
        """Run a script: its text, or the path of a file (in the checkout's directory)."""
        selection = [] if pid is None else ["-p", str(pid)]
        source = [str(script)] if isinstance(script, Path) else ["-e", script]
        # Room for long paths, where the test itself minds the 512 bytes of the BPF stack; and for
        # many lines at once.
        environ = (
            {}
            if isinstance(script, Path)
            else {"BPFTRACE_STRLEN": "128", "BPFTRACE_PERF_RB_PAGES": "1024"}
        )
        super().__init__(
            ["bpftrace", "-B", "line", *options, *selection, *source, *parameters],
            cwd=ROOT,
            env={**os.environ, "__BPFTRACE_NOTIFY_PROBES_ATTACHED": "1", **environ},
        )
        try:
            self.expect("__BPFTRACE_NOTIFY_PROBES_ATTACHED")
        except BaseException:
            self.kill()
            raise
        self._attached = len(self.output)

    def interrupt(self) -> int:
        """Press Ctrl-C, and again while it sleeps: bpftrace 0.17 forgets one that does not find it
        asleep, and one that is about to end is killed by the second."""
        end = time.monotonic() + DEADLINE
        self.child.send_signal(signal.SIGINT)
        while time.monotonic() < end:
            try:
                self.child.wait(1)
                break
            except subprocess.TimeoutExpired:
                if self._sleeps():
                    self.child.send_signal(signal.SIGINT)
        return self.wait()

    def _sleeps(self) -> bool:
        """Whether it waits for events, and longer than the 0.1 s that it does so at its end."""
        for _ in range(2):
            try:
                where = Path(f"/proc/{self.pid}/wchan").read_text()
            except OSError:
                return False  # it has ended
            if "epoll" not in where and where != "0":
                return False
            time.sleep(0.2)
        return True

    def finish(self) -> str:
        """Detach as Ctrl-C does; what it printed since it attached.

        Maps are printed whole; of lines, wait for the last one first: bpftrace drops at Ctrl-C what
        is still in its buffers.
        """
        code = self.interrupt()
        assert code == 0, f"bpftrace ended with {code}:\n{self.output}"
        return self.output[self._attached :]


@functools.cache
def _knows_more_than_six_arguments() -> bool:
    """bpftrace 0.17 stops at arg5 on x86-64 ("x86_64 doesn't support arg6")."""
    script = f"{probe('PY_RETURN')} {{ @ = arg6; }}"
    argv = ["bpftrace", "-d", "-e", script]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def argument(name: str, i: int) -> str:
    """argN in bpftrace; where it knows no such word, the register that the probe's note names."""
    if i < 6 or _knows_more_than_six_arguments():
        return f"arg{i}"
    size, operand = notes(LIBRARY)[name].arguments[i].split("@")
    wide = re.sub(r"^[er]?([a-d]x|[sd]i|bp)$|^(r\d+)d?$", r"\1\2", operand.strip("%"))
    return f'(reg("{wide}") & 0xffffffff)' if size in ("4", "-4") else f'reg("{wide}")'


def probe(name: str, library: Path | str = "./libpyusdt.so") -> str:
    """A probe by the link in the checkout: the one spelling that every bpftrace attaches to once,
    with and without -p (0.27 attaches twice to a canonical path with -p)."""
    return f"usdt:{library}:pyusdt:{name}"


def maps(text: str) -> dict[str, int]:
    """bpftrace's `@name: 3` and `@name[key]: 3` lines as {"name": 3, "name[key]": 3}."""
    found = re.findall(r"^@(.*): (-?\d+)$", text, re.MULTILINE)
    return {name: int(value) for name, value in found}


def json_maps(text: str) -> dict[str, object]:
    """The maps that `bpftrace -f json` printed, by name."""
    result: dict[str, object] = {}
    for line in text.splitlines():
        if line.startswith('{"type": "map"'):
            result.update(json.loads(line)["data"])
    return result
