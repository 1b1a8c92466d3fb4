# SPDX-License-Identifier: Apache-2.0
"""The USDT notes of a library, as tracers read them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection


class Note(NamedTuple):
    provider: str
    name: str
    location: int
    semaphore: int
    arguments: list[str]  # "[-]SIZE@OPERAND"


def notes(library: Path) -> dict[str, Note]:
    """Every probe of a library of ours, by name."""
    found = {}
    for note in sites(library):
        assert note.name not in found, "one site a probe"
        found[note.name] = note
    assert len({note.provider for note in found.values()}) == 1
    return found


def sites(path: Path) -> list[Note]:
    """Every probe site of a program or library, whoever wrote it."""
    found = []
    with path.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".note.stapsdt")
        for note in section.iter_notes() if isinstance(section, NoteSection) else ():
            raw = note["n_descdata"]
            blob = raw if isinstance(raw, bytes) else raw.encode("latin-1")
            location, _base, semaphore = (
                int.from_bytes(blob[i : i + 8], "little") for i in (0, 8, 16)
            )
            provider, name, arguments = blob[24:].split(b"\0")[:3]
            operands = arguments.decode().split()
            found.append(Note(provider.decode(), name.decode(), location, semaphore, operands))
    return found
