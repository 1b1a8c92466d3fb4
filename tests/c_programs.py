# SPDX-License-Identifier: Apache-2.0
"""Builds and runs C programs that are tests, plain and under sanitizers."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]
FLAGS += [f"-I{ROOT / 'include'}", f"-I{ROOT / 'src'}"]
MODES = {
    "plain": ["-O2"],
    "memory": ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    "threads": ["-O1", "-fsanitize=thread"],
}
LIMIT_SECONDS = 60

Tool = Callable[[str], str]


def run(command: list[str], share: str = "100") -> None:
    result = subprocess.run(
        command,
        env={**os.environ, "TEST_SHARE": share},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=LIMIT_SECONDS,
    )
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}"


@functools.cache
def makes_programs(compiler: str, mode: str) -> bool:
    """The sanitizers of a compiler may be in another package."""
    nothing = "int main(void) { return 0; }"
    with TemporaryDirectory() as directory:
        command = [compiler, *MODES[mode], "-xc", "-", "-o", f"{directory}/nothing"]
        done = subprocess.run(command, input=nothing, text=True, capture_output=True)
    return done.returncode == 0
