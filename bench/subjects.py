# SPDX-License-Identifier: Apache-2.0
"""What runs a load: a table."""

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench import peers
from bench.errors import BenchError, UnavailableError
from bench.peers import CACHE, ROOT

WORKER = ROOT / "bench" / "worker.py"
PROFILED = ROOT / "bench" / "profiled.py"
LIBRARY = ROOT / "libpyusdt.so"
FLOOR_SOURCES = ("bench/floor.c", "src/probe/probes.c")
# The flags of setup.py.
FLOOR_FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-fvisibility=hidden", "-Wall", "-Wextra")


@dataclass(frozen=True)
class Load:
    """The work of one round: a load of worker.py, which a C loop replaces by hits."""

    name: str
    size: int
    hits: int = 0
    """Hits of each probe in a round of the C loop, about as many as the load makes."""


@dataclass(frozen=True)
class Subject:
    """A program that runs a load."""

    name: str
    command: Callable[[Load, tuple[str, ...]], list[str]]
    """The command for a load whose events fire these probes. Raises UnavailableError."""
    library: Callable[[], Path] | None = None
    """The file with the probes."""
    provider: str = "pyusdt"
    monitors: bool = True
    """Events of sys.monitoring fire its probes; they are enabled some time after an attach."""


def python(
    module: str, interpreter: Callable[[], Path], **variables: str
) -> Callable[..., list[str]]:
    def command(load: Load, probes: tuple[str, ...]) -> list[str]:
        del probes
        settings = [f"{name}={value}" for name, value in variables.items()]
        run = [str(interpreter()), str(WORKER), module, load.name, str(load.size)]
        return ["env", *settings, *run]

    return command


def profiled(profiler: str, *needed: str, **variables: str) -> Callable[..., list[str]]:
    """A workload under a profiler that needs these peers, in their environment's interpreter."""

    def command(load: Load, probes: tuple[str, ...]) -> list[str]:
        del probes
        interpreter = peers.python_of("pyperformance", *needed)
        if profiler.startswith("profiling.") and sys.version_info < (3, 15):
            raise UnavailableError("Python has it from 3.15 on")
        settings = [f"PYTHONPATH={ROOT}", *(f"{k}={v}" for k, v in variables.items())]
        run = [str(interpreter), str(PROFILED), profiler, load.name, str(load.size)]
        return ["env", *settings, *run]

    return command


def to_file(subject: Subject) -> Callable[..., list[str]]:
    """The same from the profiler's start until its result is written."""

    def written(load: Load, probes: tuple[str, ...]) -> list[str]:
        CACHE.mkdir(parents=True, exist_ok=True)
        return [*subject.command(load, probes), str(CACHE / f"profile of {subject.name}")]

    return written


def scalene(profile: str) -> Callable[..., list[str]]:
    """Scalene is a launcher; its GPU profile is off."""

    def command(load: Load, probes: tuple[str, ...]) -> list[str]:
        del probes
        interpreter = peers.python_of("pyperformance", "scalene")
        launch = [str(interpreter), "-m", "scalene", "run", profile, "-o", os.devnull]
        return [*launch, str(PROFILED), "---", "nothing", load.name, str(load.size)]

    return command


def floor(load: Load, probes: tuple[str, ...]) -> list[str]:
    return [str(build_floor()), str(load.hits), *probes]


@cache
def build_floor() -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    # The two worlds share the cache, but each has its own binary.
    program = CACHE / "-".join(("floor", *platform.libc_ver()))
    include = [f"-I{path}" for path in (os.environ.get("USDT_INCLUDE"), "include", "src") if path]
    compiler = shlex.split(os.environ.get("CC") or "cc")
    command = [*compiler, *FLOOR_FLAGS, *include, "-o", str(program), *FLOOR_SOURCES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"bench/floor.c does not compile: {done.stderr.strip()}")
    return program


def own_python() -> Path:
    return Path(sys.executable)


def earlier_python() -> Path:
    return peers.python_of("earlier")


def earlier_library() -> Path:
    return peers.library_of("earlier", "libpyusdt")


def interpreter_itself() -> Path:
    """The file with CPython's own probes."""
    return Path(sys.executable).resolve()


TRACED = (
    Subject("floor", floor, build_floor, monitors=False),
    Subject("python", python("-", own_python)),
    Subject("pyusdt", python("pyusdt", own_python), LIBRARY.resolve),
    Subject("one of many", python("pyusdt", own_python, PYUSDT_ONLY="module_7"), LIBRARY.resolve),
    Subject("filtered out", python("pyusdt", own_python, PYUSDT_EXCLUDE="*:fib"), LIBRARY.resolve),
    Subject("values repr", python("pyusdt", own_python, PYUSDT_VALUES="repr"), LIBRARY.resolve),
    Subject("recorded", python("recorded", own_python)),
    Subject("lines of one", python("recorded", own_python, BENCH_LINES="module_7:work")),
    Subject("sampled", python("recorded", own_python, PYUSDT_SAMPLE_MSEC="5")),
    Subject("not sampled", python("recorded", own_python, PYUSDT_SAMPLE_MSEC="0")),
    Subject("earlier", python("pyusdt", earlier_python), earlier_library),
    Subject(
        "cpython", python("-", own_python), interpreter_itself, provider="python", monitors=False
    ),
)
PROFILED_BY = (
    Subject("untraced", profiled("nothing")),
    Subject("recorder", profiled("recorder")),
    Subject("recorder, sampled", profiled("recorder, sampled")),
    Subject("recorder, C calls", profiled("recorder, C calls")),
    Subject("recorder, lines", profiled("recorder, lines")),
    Subject("cProfile", profiled("cProfile")),
    Subject("cProfile, no builtins", profiled("cProfile, no builtins")),
    Subject("profiling.tracing", profiled("profiling.tracing")),
    Subject("profiling.tracing, no builtins", profiled("profiling.tracing, no builtins")),
    Subject("viztracer", profiled("viztracer", "viztracer")),
    Subject("viztracer, no C", profiled("viztracer, no C", "viztracer")),
    Subject("yappi, builtins", profiled("yappi, builtins", "yappi")),
    Subject("yappi", profiled("yappi", "yappi")),
    Subject("line_profiler", profiled("line_profiler", "line_profiler")),
    Subject("coverage", profiled("coverage", "coverage", COVERAGE_CORE="sysmon")),
    Subject("pyinstrument", profiled("pyinstrument", "pyinstrument")),
    Subject("scalene", scalene("--cpu-only")),
    Subject("recorder, memory", profiled("recorder, memory")),
    Subject("recorder, memory sampled", profiled("recorder, memory sampled")),
    Subject("recorder, memory of Python", profiled("recorder, memory of Python")),
    Subject("tracemalloc", profiled("tracemalloc")),
    Subject("memray", profiled("memray", "memray")),
    Subject("memray, Python allocators", profiled("memray, Python allocators", "memray")),
    Subject("scalene, memory", scalene("--memory")),
)
TO_FILE = tuple(Subject(f"{subject.name}, to a file", to_file(subject)) for subject in PROFILED_BY)
SUBJECTS = {subject.name: subject for subject in (*TRACED, *PROFILED_BY, *TO_FILE)}
