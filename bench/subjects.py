# SPDX-License-Identifier: Apache-2.0
"""Who runs a load: a table, and the processes that it starts."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from bench import peers
from bench.errors import BenchError
from bench.peers import CACHE, ROOT

WORKER = ROOT / "bench" / "worker.py"
LIBRARY = ROOT / "libpyusdt.so"
FLOOR_SOURCES = ("bench/floor.c", "src/probes.c")
# Those of setup.py.
FLOOR_FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-fvisibility=hidden", "-Wall", "-Wextra")


@dataclass(frozen=True)
class Load:
    """What is to be done in one round: a load of worker.py, which a C loop replaces by hits."""

    name: str
    size: int
    hits: int
    """Hits of each probe in one round of the C loop, about as many as the load makes."""


@dataclass(frozen=True)
class Subject:
    """Who runs a load."""

    name: str
    command: Callable[[Load, tuple[str, ...]], list[str]]
    """The command for a load whose events fire these probes. Raises UnavailableError."""
    library: Callable[[], Path] | None = None
    """The file with the probes."""


def python(module: str, interpreter: Callable[[], Path]) -> Callable[..., list[str]]:
    def command(load: Load, probes: tuple[str, ...]) -> list[str]:
        del probes
        return [str(interpreter()), str(WORKER), module, load.name, str(load.size)]

    return command


def floor(load: Load, probes: tuple[str, ...]) -> list[str]:
    return [str(build_floor()), str(load.hits), *probes]


@cache
def build_floor() -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    program = CACHE / "floor"
    include = [f"-I{path}" for path in (os.environ.get("USDT_INCLUDE"), "include", "src") if path]
    compiler = shlex.split(os.environ.get("CC") or "cc")
    command = [*compiler, *FLOOR_FLAGS, *include, "-o", str(program), *FLOOR_SOURCES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"bench/floor.c does not compile: {done.stderr.strip()}")
    return program


def own_python() -> Path:
    return Path(sys.executable)


def only(pattern: str) -> Callable[..., list[str]]:
    """pyusdt that tells of these functions alone."""

    def command(load: Load, probes: tuple[str, ...]) -> list[str]:
        plain = python("pyusdt", own_python)(load, probes)
        return ["env", f"PYUSDT_ONLY={pattern}", *plain]

    return command


SUBJECTS = {
    subject.name: subject
    for subject in (
        Subject("floor", floor, build_floor),
        Subject("python", python("-", own_python)),
        Subject("pyusdt", python("pyusdt", own_python), LIBRARY.resolve),
        Subject("one of many", only("module_7"), LIBRARY.resolve),
        Subject(
            "earlier",
            python("pyusdt", lambda: peers.python_of("earlier")),
            lambda: peers.library_of("earlier"),
        ),
    )
}


class Worker:
    """A subject at work: it runs a round whenever it is told to."""

    def __init__(self, command: list[str], **variables: str) -> None:
        self.command = command
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        self.process = subprocess.Popen(
            command,
            env=os.environ | {"PYUSDT_CHECK_MSEC": "10", "PYTHONHASHSEED": "0"} | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            bufsize=0,
        )
        try:
            self.expect_ready()
        except BenchError:
            self.stop()
            raise

    def expect_ready(self) -> None:
        if self.answer() != b"ready":
            raise self.failed("did not start")

    def answer(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, request: bytes) -> tuple[int, int]:
        """Return the ns that it took and the units of work."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(request)
            nanoseconds, units = self.answer().split()
        except (OSError, ValueError):
            raise self.failed("ended early") from None
        return int(nanoseconds), int(units)

    def failed(self, how: str) -> BenchError:
        self.said.seek(0)
        said = self.said.read().decode(errors="replace").strip()
        return BenchError(f"{' '.join(self.command)} {how}: {said or 'it did not say why'}")

    def wait_for_events(self) -> None:
        self.ask(b"w")

    def run(self) -> tuple[int, int]:
        return self.ask(b"r")

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
