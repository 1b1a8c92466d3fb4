# SPDX-License-Identifier: Apache-2.0
"""Builds and runs every C test program of this directory, plain and under each sanitizer.

A program `test_NAME.c` includes the sources that it tests and needs no interpreter. It prints the
name of each test before it runs; when it fails, the last name and the message are shown.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PROGRAMS = sorted(path.stem for path in HERE.glob("test_*.c"))
COMPILERS = ["gcc", "clang"]
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]
MODES = {
    "plain": ["-O2"],
    "memory": ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    "threads": ["-O1", "-fsanitize=thread"],
}
LIMIT_SECONDS = 60
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=all"]


def need(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")


def run(command: list[str], **environment: str) -> None:
    result = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=LIMIT_SECONDS,
    )
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}"


def build(program: str, compiler: str, mode: str, directory: Path) -> str:
    need(compiler)
    source, binary = HERE / f"{program}.c", directory / program
    include = [f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}"]
    run([compiler, *FLAGS, *MODES[mode], *include, str(source), "-o", str(binary)])
    return str(binary)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program: str, compiler: str, mode: str, tmp_path: Path) -> None:
    command = [build(program, compiler, mode, tmp_path)]
    if mode == "threads":
        # Older runtimes find no room for their shadow where addresses are as random as in new
        # kernels (https://github.com/google/sanitizers/issues/1716).
        need("setarch")
        command = ["setarch", platform.machine(), "-R", *command]
    run(command)


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_under_valgrind(program: str, tmp_path: Path) -> None:
    need("valgrind")
    binary = build(program, "gcc", "plain", tmp_path)
    run([*VALGRIND, binary], TEST_SHARE="3")


def test_bench_builds_and_runs(tmp_path: Path) -> None:
    binary = tmp_path / "bench"
    sources = [ROOT / "src" / f"{name}.c" for name in ("calltree", "nodes", "histogram", "clock")]
    include = [f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}"]
    bench = [str(source) for source in (HERE / "bench_calltree.c", *sources)]
    run(["gcc", *FLAGS, "-O2", *include, *bench, "-o", str(binary)])
    run([str(binary), "1"])
