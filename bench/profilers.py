# SPDX-License-Identifier: Apache-2.0
"""The profilers that run inside the program: the functions that start and end each, by name.

`start` takes the module with the functions, and the file for the result or None. `finish` takes
the result of `start`, and that file.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, Literal


@dataclass(frozen=True)
class Profiler:
    start: Callable[[ModuleType, str | None], object]
    finish: Callable[[Any, str], object] | None = None
    """Stop, and write the result to a file. None: write no result."""


def recorder(
    c_calls: bool, times: Literal["exact", "sampled"], module: ModuleType, output: str | None
) -> object:
    import pyusdt

    return pyusdt.record(output, c_calls=c_calls, times=times).__enter__()


def recorder_of_lines(module: ModuleType, output: str | None) -> object:
    """Of all functions of the workload, as line_profiler's below."""
    import pyusdt

    return pyusdt.record(output, lines=f"{module.__name__}:*").__enter__()


def recorder_of_memory(
    memory: Literal["all", "python", "sampled"], module: ModuleType, output: str | None
) -> object:
    import pyusdt

    return pyusdt.record(output, c_calls=False, memory=memory).__enter__()


def end_recorder(recorder: Any, output: str) -> None:
    recorder.__exit__(None, None, None)


def cprofile(builtins: bool, module: ModuleType, output: str | None) -> object:
    import cProfile

    profile = cProfile.Profile(builtins=builtins)
    profile.enable(builtins=builtins)  # its own default, since 3.14, undoes the constructor's
    return profile


def tracing(builtins: bool, module: ModuleType, output: str | None) -> object:
    from profiling.tracing import Profile

    profile = Profile(builtins=builtins)
    profile.enable(builtins=builtins)  # its own default, since 3.14, undoes the constructor's
    return profile


def end_profile(profile: Any, output: str) -> None:
    profile.disable()
    profile.dump_stats(output)


def viztracer(c_functions: bool, module: ModuleType, output: str | None) -> object:
    from viztracer import VizTracer

    tracer = VizTracer(verbose=0, ignore_c_function=not c_functions)
    tracer.start()
    return tracer


def end_viztracer(tracer: Any, output: str) -> None:
    tracer.stop()
    tracer.save(f"{output}.json")


def yappi(builtins: bool, module: ModuleType, output: str | None) -> object:
    import yappi

    yappi.set_clock_type("wall")  # its cheaper clock
    yappi.start(builtins=builtins, profile_threads=False)
    return yappi


def end_yappi(yappi: Any, output: str) -> None:
    yappi.stop()
    yappi.get_func_stats().save(output, type="pstat")
    yappi.clear_stats()


def line_profiler(module: ModuleType, output: str | None) -> object:
    """It times the lines of the functions that it gets: those of the workload."""
    from line_profiler import LineProfiler

    profiler = LineProfiler()
    profiler.add_module(module)
    profiler.enable_by_count()
    return profiler


def coverage_sysmon(module: ModuleType, output: str | None) -> object:
    os.environ["COVERAGE_CORE"] = "sysmon"
    from coverage import Coverage

    coverage = Coverage(data_file=None, config_file=False)
    coverage.start()
    return coverage


def pyinstrument(module: ModuleType, output: str | None) -> object:
    from pyinstrument import Profiler

    profiler = Profiler(async_mode="disabled")
    profiler.start()
    return profiler


def tracemalloc(module: ModuleType, output: str | None) -> object:
    """It keeps the line of each block, and no caller."""
    import tracemalloc

    tracemalloc.start()
    return tracemalloc


def memray(python_allocators: bool, module: ModuleType, output: str | None) -> object:
    """It writes all to a file, which nobody needs here."""
    import memray

    directory = tempfile.mkdtemp()
    file = os.path.join(directory, "memray")
    tracker = memray.Tracker(file, trace_python_allocators=python_allocators)
    tracker.__enter__()
    shutil.rmtree(directory)
    return tracker


PROFILERS = {
    "nothing": Profiler(lambda module, output: None, lambda kept, output: None),
    "recorder": Profiler(partial(recorder, False, "exact"), end_recorder),
    "recorder, sampled": Profiler(partial(recorder, False, "sampled"), end_recorder),
    "recorder, C calls": Profiler(partial(recorder, True, "exact"), end_recorder),
    "recorder, lines": Profiler(recorder_of_lines, end_recorder),
    "recorder, memory": Profiler(partial(recorder_of_memory, "all"), end_recorder),
    "recorder, memory sampled": Profiler(partial(recorder_of_memory, "sampled"), end_recorder),
    "recorder, memory of Python": Profiler(partial(recorder_of_memory, "python"), end_recorder),
    "cProfile": Profiler(partial(cprofile, True), end_profile),
    "cProfile, no builtins": Profiler(partial(cprofile, False), end_profile),
    "profiling.tracing": Profiler(partial(tracing, True), end_profile),
    "profiling.tracing, no builtins": Profiler(partial(tracing, False), end_profile),
    "viztracer": Profiler(partial(viztracer, True), end_viztracer),
    "viztracer, no C": Profiler(partial(viztracer, False), end_viztracer),
    "yappi, builtins": Profiler(partial(yappi, True), end_yappi),
    "yappi": Profiler(partial(yappi, False), end_yappi),
    "line_profiler": Profiler(line_profiler),
    "coverage": Profiler(coverage_sysmon),
    "tracemalloc": Profiler(tracemalloc),
    "memray": Profiler(partial(memray, False)),
    "memray, Python allocators": Profiler(partial(memray, True)),
    "pyinstrument": Profiler(pyinstrument),
}
