# SPDX-License-Identifier: Apache-2.0
"""The ways in which the test programs are compiled."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from elf.elfnotes import Image

HERE = Path(__file__).parent
INCLUDE = HERE.parent.parent / "include"
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror")


@dataclass(frozen=True)
class Build:
    compiler: str
    standard: str
    optimize: str
    include: Path = INCLUDE
    options: tuple[str, ...] = WARNINGS

    def __str__(self) -> str:
        return f"{self.compiler}-{self.standard}{self.optimize}"

    def command(self) -> list[str]:
        """The compiler with its options. `-x c++` as the C++ programs are the C ones."""
        language = ["-x", "c++"] if "++" in self.standard else []
        fixed = [*self.options, self.optimize, f"-I{self.include}", f"-std={self.standard}"]
        return [self.compiler, *fixed, *language]


# The fixture `tool`: skips the test where that program is missing.
Tool = Callable[[str], str]


class Compile(Protocol):
    def __call__(self, build: Build, *args: str) -> Image: ...


def compile_program(build: Build, args: tuple[str, ...], output: Path) -> Image:
    cmd = [*build.command(), *args, "-o", str(output)]
    done = subprocess.run(cmd, cwd=HERE / "programs", capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(cmd)}\n{done.stderr[:4000]}"
    return Image(output)


# Every level once with the strict standard or with GNU's, which differ in the preprocessor only.
C_WAYS = [("c11", "-O0"), ("gnu11", "-O1"), ("c11", "-O2"), ("gnu11", "-O3")]
CXX_WAYS = [("c++17", "-O0"), ("gnu++17", "-O1"), ("c++17", "-O2"), ("gnu++17", "-O3")]
C_BUILDS = [Build(compiler, *way) for compiler in ("gcc", "clang") for way in C_WAYS]
CXX_BUILDS = [Build(compiler, *way) for compiler in ("g++", "clang++") for way in CXX_WAYS]
BUILDS = C_BUILDS + CXX_BUILDS

# One of each compiler, for what does not depend on the rest.
USUAL = [
    Build("gcc", "c11", "-O2"),
    Build("clang", "c11", "-O2"),
    Build("g++", "c++17", "-O2"),
    Build("clang++", "c++17", "-O2"),
]
