# SPDX-License-Identifier: Apache-2.0
"""The notes of include/usdt.h, for every kind of argument and every way to compile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from elf.builds import C_BUILDS, USUAL, Build, Compile
from elf.elfnotes import Image
from elf.expected import ARITIES, CONSTANTS, TEXTS, check_kinds

pytestmark = [pytest.mark.once, pytest.mark.apart]

# A register or a constant: what every tracer can read.
OPERAND = re.compile(r"-?[1248]@(%[a-z0-9]+|\$-?[0-9]+)")
NOP_PAIR = bytes.fromhex("90 66 2e 0f 1f 84 00 00 00 00 00")


def sizes(image: Image, provider: str) -> dict[str, tuple[int, ...]]:
    return {name: note.sizes for name, note in image.named(provider).items()}


def test_every_kind_has_its_size_and_sign(kinds: Image) -> None:
    check_kinds(sizes(kinds, "kinds"))
    assert sizes(kinds, "text") == dict.fromkeys(TEXTS, (8,))


def test_zero_to_twelve_arguments(kinds: Image) -> None:
    assert sizes(kinds, "arity") == ARITIES


def test_operands_are_registers_or_constants(kinds: Image) -> None:
    for note in kinds.notes:
        for arg in note.args:
            assert OPERAND.fullmatch(arg), note


def test_constants_are_immediates(kinds: Image) -> None:
    """Without optimization too: a tracer needs no register for them."""
    found = kinds.named("kinds")
    assert {name: found[name].args for name in CONSTANTS} == CONSTANTS


def test_names_stand_as_written(kinds: Image) -> None:
    assert set(kinds.named("n")) == {"sema", "provider", "x"}
    assert set(kinds.named("renamed")) == {"renamed"}


def test_location_is_an_aligned_nop_pair(kinds: Image) -> None:
    locations = [note.location for note in kinds.notes]
    assert len(set(locations)) == len(locations)
    for location in locations:
        assert kinds.read(location, len(NOP_PAIR)) == NOP_PAIR
        assert location % 16 == 0, "so that no pair crosses a page"


def test_base_is_the_section(kinds: Image) -> None:
    section = kinds.section(".stapsdt.base")
    assert section.header.sh_size == 1
    assert {note.base for note in kinds.notes} == {section.header.sh_addr}


def test_notes_are_not_loaded(kinds: Image) -> None:
    assert kinds.section(".note.stapsdt").header.sh_flags == 0


def test_only_the_asked_for_have_a_semaphore(kinds: Image) -> None:
    with_one = {note.name for note in kinds.notes if note.semaphore}
    assert with_one == {"implicit", "explicit_"}


def test_arguments_are_evaluated_once_and_in_order(kinds: Image) -> None:
    assert "evaluated 6\n" in kinds.run()


@pytest.mark.parametrize("build", USUAL, ids=str)
def test_nop_and_constraint_can_be_chosen(build: Build, compiled: Compile) -> None:
    image = compiled(build, "-DUSDT_NOP=.byte 0x66, 0x90", "-DUSDT_ARG_CONSTRAINT=r", "kinds.c")
    kinds = image.named("kinds")
    assert {image.read(note.location, 2) for note in kinds.values()} == {b"\x66\x90"}
    assert re.fullmatch(r"-4@%[a-z0-9]+", kinds["constant"].args[0])
    check_kinds(sizes(image, "kinds"))


@pytest.mark.parametrize("build", USUAL, ids=str)
def test_what_cannot_be_read_does_not_compile(
    build: Build, compiled: Compile, tmp_path: Path
) -> None:
    def compile_probe_of(type_: str) -> None:
        source = tmp_path / f"{type_.replace(' ', '_')}.c"
        source.write_text(
            '#include "usdt.h"\nstruct pair { int a, b; };\n'
            f"void f({type_} *x);\nvoid f({type_} *x) {{ USDT(p, n, *x); }}\n"
        )
        compiled(build, "-c", str(source))

    compile_probe_of("int")
    for type_ in ("float", "double", "struct pair"):
        with pytest.raises(AssertionError, match="error"):
            compile_probe_of(type_)


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize("optimize", ["-O0", "-O2"])
def test_cxx_scopes(compiler: str, optimize: str, compiled: Compile) -> None:
    image = compiled(Build(compiler, "c++17", optimize), "scopes.cc")
    found = {(note.name, note.sizes) for note in image.notes}
    assert found == {
        ("explicit_", (1, -4)),
        ("templated", (-2,)),
        ("templated", (8,)),
        ("method", (8, -4)),
        ("lambda", (1, -4, -4, 8)),
    }
    semaphores = {name: {n.semaphore for n in image.notes if n.name == name} for name, _ in found}
    assert semaphores["lambda"] == {0}
    assert len(semaphores["templated"]) == 1
    image.run()


@pytest.mark.parametrize("build", C_BUILDS, ids=str)
@pytest.mark.usefixtures("sdt_header")
def test_second_opinion(build: Build, compiled: Compile) -> None:
    """<sys/sdt.h> makes equivalent notes for the same probes."""
    ours = compiled(build, "-DOVER_SDT", "kinds.c")
    theirs = compiled(over_sdt(build), "-DOVER_SDT", "kinds.c")

    def told(image: Image) -> set[tuple[str, str, tuple[int, ...], bool]]:
        return {(n.provider, n.name, n.sizes, n.semaphore != 0) for n in image.notes}

    assert told(ours) == told(theirs)


def over_sdt(build: Build) -> Build:
    """The same with over_sdt/usdt.h. <sys/sdt.h> is not pedantic."""
    include = build.include.parent / "tests" / "elf" / "over_sdt"
    return Build(build.compiler, build.standard, build.optimize, include, ("-Wall", "-Wextra"))
