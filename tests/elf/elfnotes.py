# SPDX-License-Identifier: Apache-2.0
"""What a tracer finds in an ELF file: the notes, as `readelf -n` prints them, and the bytes."""

from __future__ import annotations

import functools
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

NOTE = re.compile(
    r"""stapsdt \s+ 0x[0-9a-f]+ \s+ NT_STAPSDT [^\n]*? \s
        Provider:\ (?P<provider>[^\n]*) \s+
        Name:\ (?P<name>[^\n]*) \s+
        Location:\ 0x(?P<location>[0-9a-f]+),\ Base:\ 0x(?P<base>[0-9a-f]+),
        \ Semaphore:\ 0x(?P<semaphore>[0-9a-f]+) \s+
        Arguments:\ (?P<args>[^\n]*)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Note:
    provider: str
    name: str
    location: int
    base: int
    semaphore: int
    args: tuple[str, ...]
    """As they stand: "-4@%eax"."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Bytes of each argument, negative where it is signed."""
        return tuple(int(arg.partition("@")[0]) for arg in self.args)


def parse_notes(text: str) -> list[Note]:
    notes = []
    for m in NOTE.finditer(text):
        location, base, semaphore = (int(m[key], 16) for key in ("location", "base", "semaphore"))
        args = tuple(m["args"].split())
        notes.append(Note(m["provider"], m["name"], location, base, semaphore, args))
    assert len(notes) == text.count("NT_STAPSDT"), text
    return notes


# A statically linked program has the C library's own probes.
C_LIBRARY = ("libc", "libm", "libpthread", "rtld")


class Image:
    """An ELF file. Segments and sections are pyelftools' own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @functools.cached_property
    def notes(self) -> list[Note]:
        cmd = ["readelf", "--wide", "--notes", str(self.path)]
        text = subprocess.run(cmd, check=True, capture_output=True, text=True).stdout
        return [note for note in parse_notes(text) if note.provider not in C_LIBRARY]

    def named(self, provider: str) -> dict[str, Note]:
        """One note for each name of a provider; an optimizer may have doubled the place."""
        found = [note for note in self.notes if note.provider == provider]
        by_name = {note.name: note for note in found}
        assert all(note.sizes == by_name[note.name].sizes for note in found)
        return by_name

    def run(self) -> str:
        done = subprocess.run([str(self.path)], capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def section(self, name: str) -> Any:
        with self.path.open("rb") as file:
            return ELFFile(file).get_section_by_name(name)

    def segments(self, address: int) -> list[Any]:
        """The headers of those that cover `address` with bytes of the file."""
        with self.path.open("rb") as file:
            headers = [segment.header for segment in ELFFile(file).iter_segments()]
        return [h for h in headers if h.p_vaddr <= address < h.p_vaddr + h.p_filesz]

    def read(self, address: int, size: int) -> bytes:
        """The bytes at an address, from the file."""
        load = next(h for h in self.segments(address) if h.p_type == "PT_LOAD")
        with self.path.open("rb") as file:
            file.seek(load.p_offset + address - load.p_vaddr)
            return file.read(size)
