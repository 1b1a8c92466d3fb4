# SPDX-License-Identifier: Apache-2.0
"""A copy of the package with a library whose probes write what they are given to a buffer.

It is built the way a user builds against somebody else's usdt.h; the real library is not touched.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import DEADLINE, ROOT

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
# One binary for every Python, but not for another C library or another ABI.
COPY = ROOT / ".cache" / "-".join(["capture", *platform.libc_ver(), sys.abiflags]).rstrip("-")

Listen = Callable[..., Any]


def out_of_date(library: Path) -> bool:
    used = [
        *ROOT.glob("src/**/*.[ch]"),
        *ROOT.glob("include/*.h"),
        *HERE.glob("*"),
        ROOT / "setup.py",
    ]
    return not library.exists() or library.stat().st_mtime < max(f.stat().st_mtime for f in used)


def build() -> None:
    options = ["--force", "--build-lib", COPY, "--build-temp", COPY / "build"]
    subprocess.run(
        [sys.executable, "-W", "ignore", "setup.py", "-q", "build_ext", *options],
        cwd=ROOT,
        env={**os.environ, "USDT_INCLUDE": str(HERE), "PYUSDT_CFLAGS": "-Werror"},
        check=True,
    )


def link_package() -> None:
    """Beside the library, the package's files, as they are in the checkout."""
    for path in (ROOT / "pyusdt").iterdir():
        link = COPY / "pyusdt" / path.name
        if path.suffix != ".so" and path.name != "__pycache__" and not link.is_symlink():
            link.symlink_to(path)


@pytest.fixture(scope="session")
def copy() -> Path:
    """The directory that has the copy of the package."""
    if out_of_date(next(COPY.glob("pyusdt/libpyusdt.*so"), COPY)):
        build()
    link_package()
    return COPY


@pytest.fixture(scope="session")
def listen(copy: Path) -> Listen:
    """listen(PROGRAM, ARGUMENT..., VARIABLE=VALUE...): what a program prints as JSON."""

    def run(program: str, *arguments: str, **variables: str) -> Any:
        path = [copy, PROGRAMS, ROOT / "tests" / "tracer" / "programs"]
        done = subprocess.run(
            [sys.executable, "-P", PROGRAMS / program, *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), **variables},
            input="\n\n",
            text=True,
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout)

    return run
