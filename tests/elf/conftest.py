# SPDX-License-Identifier: Apache-2.0
"""The programs that the tests of include/usdt.h look at, compiled when a test asks for one."""

from __future__ import annotations

import functools
import os
import subprocess

import pytest
from conftest import missing
from elf.builds import BUILDS, Build, Compile, Tool, compile_program
from elf.elfnotes import Image


@pytest.fixture(scope="session")
def sdt_header(tool: Tool) -> None:
    """<sys/sdt.h>, SystemTap's header."""
    cmd = [tool("gcc"), "-E", "-include", "sys/sdt.h", "-x", "c", os.devnull]
    if subprocess.run(cmd, capture_output=True).returncode != 0:
        missing("<sys/sdt.h> (systemtap-sdt-dev) is not installed")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory, tool: Tool) -> Compile:
    """Compiles programs/SOURCE... with a build and further options; each only once."""

    @functools.cache
    def compile_once(build: Build, *args: str) -> Image:
        tool(build.compiler)
        tool("readelf")
        return compile_program(build, args, tmp_path_factory.mktemp("program") / "program")

    return compile_once


@pytest.fixture(scope="session", params=BUILDS, ids=str)
def kinds(request: pytest.FixtureRequest, compiled: Compile) -> Image:
    """kinds.c, built in every way there is."""
    return compiled(request.param, "kinds.c")
