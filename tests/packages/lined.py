# SPDX-License-Identifier: Apache-2.0
"""Runs a program and counts its lines: lined.py KIND PROGRAM OUTPUT

KIND is `line_profiler` or `pyusdt`. The output is JSON: a list of [file, line, hits, seconds], of
the functions of the program's own file that ran.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

TESTS = Path(os.environ.get("LINE_PROFILER_TESTS", ""))
Run = Callable[[], object]
Rows = dict[tuple[str, int], tuple[int, float]]
"""Hits and seconds by file and line."""


def module_of(path: Path, name: str, wanted: Callable[[ast.stmt], bool]) -> ModuleType:
    """The statements at the top of the file that are wanted, with their line numbers."""
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if wanted(node)]
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    exec(compile(tree, str(path), "exec"), module.__dict__)
    return module


def functions_in(path: Path, outer: str, name: str) -> ModuleType:
    """The classes and functions that a test has inside, without decorators."""
    (found,) = [n for n in ast.walk(ast.parse(path.read_text())) if getattr(n, "name", "") == outer]
    tree = ast.Module([n for n in ast.walk(found) if n is not found and defines(n)], [])
    for node in tree.body:
        node.decorator_list = []
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    exec(compile(tree, str(path), "exec"), module.__dict__)
    return module


def defines(node: ast.AST) -> bool:
    return isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))


def complex_example() -> tuple[ModuleType, Run]:
    """Threads; its processes are left out, for line_profiler does not count in them."""
    os.environ["PROFILE_TYPE"] = "none"
    import complex_example as program

    sys.argv = ["complex_example.py", "--process_size=0", "--serial_size=12"]
    return program, program.main


def small_functions() -> tuple[ModuleType, Run]:
    def functions(node: ast.stmt) -> bool:
        return defines(node) and getattr(node, "name", "") in ("f", "g", "ag")

    program = module_of(TESTS / "test_line_profiler.py", "small_functions", functions)
    program.asyncio = asyncio

    async def asks() -> None:
        values = program.ag(0, [1, 2, 3])
        with suppress(StopAsyncIteration):
            await anext(values)
            for i in (4, 5, None):
                await values.asend(i)

    def run() -> None:
        program.f(1)
        sent = program.g(2)
        next(sent)
        sent.send(3)
        asyncio.run(asks())

    return program, run


def loops() -> tuple[ModuleType, Run]:
    path = TESTS / "test_line_profiler.py"
    outer = "test_multiple_profilers_identical_bytecode"
    program = functions_in(path, outer, "loops")
    return program, lambda: [getattr(program, f"func{i}")() for i in range(1, 5)]


def exceptions() -> tuple[ModuleType, Run]:
    program = functions_in(
        TESTS / "test_line_profiler.py", "test_profiling_exception", "exceptions"
    )
    program.l = []

    def run() -> None:
        for function, *words in (
            (program.func_raise,),
            (program.func_try_finally,),
            (program.func_try_except_finally, True),
            (program.func_try_except_finally, False),
        ):
            with suppress(program.MyException):
                function(*words)

    return program, run


def breaks() -> tuple[ModuleType, Run]:
    path = TESTS / "test_sys_trace.py"
    program = functions_in(path, "test_python_level_trace_manipulation", "breaks")
    program.sys = sys
    return program, lambda: program.func_no_break(20)


def sums() -> tuple[ModuleType, Run]:
    def functions(node: ast.stmt) -> bool:
        return defines(node) and getattr(node, "name", "") in ("foo", "bar", "baz")

    program = module_of(TESTS / "test_sys_trace.py", "sums", functions)
    return program, lambda: (program.foo(5), program.bar(6), program.baz(7))


def timed() -> tuple[ModuleType, Run]:
    import timed as program

    return program, program.main


OWN = {f.__name__: f for f in (complex_example, small_functions, loops, exceptions, breaks, sums)}
OWN |= {"timed": timed}


def workload(name: str) -> tuple[ModuleType, Run]:
    """A program of pyperformance, as the bench runs it."""
    import workloads

    body, module = workloads.load(name)
    return module, lambda: body(1)


def functions_of(module: ModuleType) -> list[FunctionType]:
    """All that its file defines, also in classes."""
    found: dict[CodeType, FunctionType] = {}
    assert module.__file__ is not None

    def add(value: Any) -> None:
        value = inspect.unwrap(getattr(value, "__func__", getattr(value, "fget", value)))
        if isinstance(value, FunctionType) and value.__code__.co_filename == module.__file__:
            found[value.__code__] = value

    for value in vars(module).values():
        add(value)
        if isinstance(value, type) and value.__module__ == module.__name__:
            for inner in vars(value).values():
                add(inner)
    return list(found.values())


def of_line_profiler(module: ModuleType, run: Run) -> Rows:
    from line_profiler import LineProfiler

    profiler = LineProfiler(*functions_of(module))
    profiler.enable_by_count()
    run()
    profiler.disable_by_count()
    stats = profiler.get_stats()
    hits: Counter[tuple[str, int]] = Counter()
    ticks: Counter[tuple[str, int]] = Counter()
    for (file, _, _), lines in stats.timings.items():
        for line, count, time in lines:
            hits[file, line] += count
            ticks[file, line] += time
    return {key: (count, ticks[key] * stats.unit) for key, count in hits.items()}


def of_pyusdt(module: ModuleType, run: Run) -> Rows:
    import pyusdt

    known = {function.__code__.co_qualname for function in functions_of(module)}
    with pyusdt.record(lines=f"{module.__name__}:*") as rec:
        run()
    assert rec.losses.keys().isdisjoint({"lines"}), rec.losses
    hits: Counter[tuple[str, int]] = Counter()
    spent: Counter[tuple[str, int]] = Counter()
    for row in rec.recording.line_rows:
        # Functions in functions, lambdas and generator expressions are none of line_profiler's.
        if row.record.qualname in known:
            hits[row.record.file, row.line] += row.hits
            spent[row.record.file, row.line] += row.total_ns
    return {key: (count, spent[key] / 1e9) for key, count in hits.items() if count}


def main() -> None:
    kind, name, output = sys.argv[1:]
    random.seed(0)
    module, run = OWN[name]() if name in OWN else workload(name)
    count = of_pyusdt if kind == "pyusdt" else of_line_profiler
    rows = [[*key, *figures] for key, figures in sorted(count(module, run).items())]
    Path(output).write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
