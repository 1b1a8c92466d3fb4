# SPDX-License-Identifier: Apache-2.0
"""The same for aarch64, which is compiled and read, but not run."""

from __future__ import annotations

import re

import pytest
from elf.builds import C_WAYS, WARNINGS, Build, Compile, Tool
from elf.elfnotes import Image
from elf.expected import ARITIES, check_kinds

pytestmark = [pytest.mark.once, pytest.mark.apart]

GCC = "aarch64-linux-gnu-gcc"
OPERAND = re.compile(r"-?[1248]@(x[0-9]+|-?[0-9]+)")


def check(image: Image) -> None:
    kinds = {name: note.sizes for name, note in image.named("kinds").items()}
    check_kinds(kinds, plain_char=1)
    assert {name: note.sizes for name, note in image.named("arity").items()} == ARITIES
    for note in image.notes:
        assert all(OPERAND.fullmatch(arg) for arg in note.args), note


@pytest.mark.parametrize(("standard", "optimize"), C_WAYS)
def test_library(standard: str, optimize: str, compiled: Compile) -> None:
    image = compiled(Build(GCC, standard, optimize), "-fPIC", "-shared", "kinds.c")
    check(image)
    for note in image.notes:
        assert image.read(note.location, 4) == bytes.fromhex("1f2003d5")
    semaphores = [note.semaphore for note in image.notes if note.semaphore]
    assert len(semaphores) == 2
    for address in semaphores:
        assert [h.p_flags for h in image.segments(address)] == [0b110]


@pytest.mark.parametrize(("standard", "optimize"), C_WAYS)
def test_clang_object(standard: str, optimize: str, compiled: Compile, tool: Tool) -> None:
    """The C library's headers are those of the cross compiler."""
    tool(GCC)
    options = (*WARNINGS, "--target=aarch64-linux-gnu", "-isystem/usr/aarch64-linux-gnu/include")
    check(compiled(Build("clang", standard, optimize, options=options), "-c", "kinds.c"))


@pytest.mark.parametrize("optimize", ["-O0", "-O2"])
def test_semaphores(optimize: str, compiled: Compile) -> None:
    link = ("-fPIC", "-shared", "semas.c", "other.c")
    image = compiled(Build(GCC, "c11", optimize), *link)
    pairs = {(note.name, note.semaphore) for note in image.notes}
    assert len(pairs) == len({semaphore for _, semaphore in pairs}) == 4
    assert {name for name, _ in pairs} == {"implicit", "explicit_", "unasked", "in_header"}
