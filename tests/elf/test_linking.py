# SPDX-License-Identifier: Apache-2.0
"""Semaphores and notes once several files have become a program or a library."""

from __future__ import annotations

import subprocess

import pytest
from elf.builds import USUAL, Build, Compile
from elf.elfnotes import Image

pytestmark = [pytest.mark.once, pytest.mark.apart]

LINKS = {
    "pie": (),
    "no-pie": ("-fno-pie", "-no-pie"),
    "static-pie": ("-static-pie", "-fPIE"),
    "shared": ("-fPIC", "-shared"),
    "gc-sections": ("-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"),
    "relro-hidden": ("-fno-common", "-fvisibility=hidden", "-Wl,-z,relro,-z,now"),
    "lto": ("-flto",),
}
PROBES = {"implicit", "explicit_", "unasked", "in_header"}


def check_semaphore(image: Image, address: int) -> None:
    """The kernel writes it: in a private mapping of the file that is writable, and no code."""
    assert address % 2 == 0
    kinds = {header.p_type: header for header in image.segments(address)}
    assert kinds.keys() == {"PT_LOAD"}, "GNU_RELRO would make it read-only"
    assert kinds["PT_LOAD"].p_flags == 0b110
    assert image.read(address, 2) == b"\0\0"


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("build", USUAL, ids=str)
def test_one_semaphore_for_all_places_of_a_probe(
    build: Build, link: str, compiled: Compile
) -> None:
    image = compiled(build, *LINKS[link], "semas.c", "other.c")
    semaphores = {name: {n.semaphore for n in image.notes if n.name == name} for name in PROBES}
    assert {note.name for note in image.notes} == PROBES
    assert all(len(addresses) == 1 for addresses in semaphores.values()), semaphores
    assert len(set.union(*semaphores.values())) == len(PROBES)
    for (address,) in semaphores.values():
        check_semaphore(image, address)
    for note in image.notes:
        assert image.read(note.location, 2) == b"\x90\x66"
    if link != "shared":
        assert image.run() == (
            "main: implicit 0 explicit 0 counter 0\nother: implicit 0 explicit 0\n"
        )


@pytest.mark.parametrize("build", USUAL, ids=str)
def test_a_library_has_its_own(build: Build, compiled: Compile) -> None:
    """Same names in the program and in its library: not one semaphore for both."""
    library = compiled(build, "-DLIBRARY", "-fPIC", "-shared", "other.c")
    program = compiled(build, "semas.c", "-xnone", str(library.path))
    for image, count in ((library, 3), (program, 4)):
        assert len(image.notes) == count
        assert all(note.semaphore for note in image.notes)
    symbols = subprocess.run(
        ["readelf", "--wide", "--dyn-syms", str(library.path)], check=True, capture_output=True
    ).stdout
    assert b"sema" not in symbols
    assert program.run().startswith("main: implicit 0")


@pytest.mark.parametrize("build", USUAL, ids=str)
def test_kinds_in_a_library(build: Build, compiled: Compile) -> None:
    """A library's notes say what the program's do, and cost no relocation at load time."""
    program, library = compiled(build, "kinds.c"), compiled(build, "-fPIC", "-shared", "kinds.c")
    for provider in ("kinds", "arity", "text"):
        ours, theirs = program.named(provider), library.named(provider)
        assert {n: ours[n].sizes for n in ours} == {n: theirs[n].sizes for n in theirs}
    assert library.section(".rela.note.stapsdt") is None
