# SPDX-License-Identifier: Apache-2.0
"""Builds and runs every C test program of this directory, plain and under each sanitizer.

A program `test_NAME.c` includes the sources that it tests and needs no interpreter. It prints the
name of each test before it runs; when it fails, the last name and the message are shown.
"""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from c_programs import FLAGS, MODES, ROOT, Tool, makes_programs, run
from conftest import missing

pytestmark = [pytest.mark.once, pytest.mark.apart]

HERE = Path(__file__).parent
PROGRAMS = sorted(path.stem for path in HERE.glob("test_*.c"))
# TEST_SHARE: how many percent of their random turns the programs make.
SHARE = {"plain": "100", "memory": "100", "threads": "30"}
VALGRIND_SHARE = "3"


def build(compiler: str, flags: list[str], sources: list[Path], directory: Path) -> str:
    binary = str(directory / sources[0].stem)
    run([compiler, *FLAGS, *flags, *map(str, sources), "-o", binary, "-lm"])
    return binary


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program: str, compiler: str, mode: str, tool: Tool, tmp_path: Path) -> None:
    if not makes_programs(tool(compiler), mode):
        missing(f"{compiler} has no sanitizer of {mode}: see tools/need-clang")
    binary = build(tool(compiler), MODES[mode], [HERE / f"{program}.c"], tmp_path)
    # The thread sanitizers of gcc 12 and clang 14 find no room for their shadow where addresses
    # are as random as in new kernels (https://github.com/google/sanitizers/issues/1716).
    fixed = [tool("setarch"), platform.machine(), "-R"] if mode == "threads" else []
    run([*fixed, binary], SHARE[mode])


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_under_valgrind(program: str, tool: Tool, tmp_path: Path) -> None:
    binary = build(tool("gcc"), MODES["plain"], [HERE / f"{program}.c"], tmp_path)
    options = ["-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=all"]
    run([tool("valgrind"), *options, binary], VALGRIND_SHARE)


def test_bench_of_the_call_tree_runs(tool: Tool, tmp_path: Path) -> None:
    names = ["budget", "calltree", "calltree_read", "lines", "nodes", "tree"]
    sources = [ROOT / "src/calltree" / f"{name}.c" for name in names]
    sources += [ROOT / "src/base" / f"{name}.c" for name in ("histogram", "clock")]
    sources.insert(0, HERE / "bench_calltree.c")
    run([build(tool("gcc"), ["-O2"], sources, tmp_path), "1"])
