# SPDX-License-Identifier: Apache-2.0
"""The profilers that run inside the program: by name, what starts each. They run to its end."""

import os
from collections.abc import Callable
from types import ModuleType


def recorder(module: ModuleType) -> object:
    import pyusdt

    return pyusdt.record().__enter__()


def recorder_c_calls(module: ModuleType) -> object:
    import pyusdt

    return pyusdt.record(c_calls=True).__enter__()


def cprofile(module: ModuleType) -> object:
    import cProfile

    profile = cProfile.Profile()
    profile.enable()
    return profile


def cprofile_python(module: ModuleType) -> object:
    import cProfile

    profile = cProfile.Profile(builtins=False)
    profile.enable()
    return profile


def tracing(module: ModuleType) -> object:
    from profiling.tracing import Profile

    profile = Profile()
    profile.enable()
    return profile


def tracing_python(module: ModuleType) -> object:
    from profiling.tracing import Profile

    profile = Profile(builtins=False)
    profile.enable()
    return profile


def viztracer(module: ModuleType) -> object:
    from viztracer import VizTracer

    tracer = VizTracer(verbose=0)
    tracer.start()
    return tracer


def viztracer_python(module: ModuleType) -> object:
    from viztracer import VizTracer

    tracer = VizTracer(verbose=0, ignore_c_function=True)
    tracer.start()
    return tracer


def yappi_builtins(module: ModuleType) -> object:
    import yappi

    yappi.set_clock_type("wall")  # its cheaper clock
    yappi.start(builtins=True, profile_threads=False)
    return yappi


def yappi_python(module: ModuleType) -> object:
    import yappi

    yappi.set_clock_type("wall")
    yappi.start(builtins=False, profile_threads=False)
    return yappi


def line_profiler(module: ModuleType) -> object:
    """It times the lines of functions that it is told of: those of the workload."""
    from line_profiler import LineProfiler

    profiler = LineProfiler()
    profiler.add_module(module)
    profiler.enable_by_count()
    return profiler


def coverage_sysmon(module: ModuleType) -> object:
    os.environ["COVERAGE_CORE"] = "sysmon"
    from coverage import Coverage

    coverage = Coverage(data_file=None, config_file=False)
    coverage.start()
    return coverage


def pyinstrument(module: ModuleType) -> object:
    from pyinstrument import Profiler

    profiler = Profiler(async_mode="disabled")
    profiler.start()
    return profiler


START: dict[str, Callable[[ModuleType], object]] = {
    "nothing": lambda module: None,
    "recorder": recorder,
    "recorder, C calls": recorder_c_calls,
    "cProfile": cprofile,
    "cProfile, no builtins": cprofile_python,
    "profiling.tracing": tracing,
    "profiling.tracing, no builtins": tracing_python,
    "viztracer": viztracer,
    "viztracer, no C": viztracer_python,
    "yappi, builtins": yappi_builtins,
    "yappi": yappi_python,
    "line_profiler": line_profiler,
    "coverage": coverage_sysmon,
    "pyinstrument": pyinstrument,
}
