# SPDX-License-Identifier: Apache-2.0
"""Raises and lowers a probe's semaphore in a process, as a tracer does by writing to its memory.

For times: the tracer that the other cases use takes its own to start and to end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from bench.errors import BenchError

SIZE = 2
"""Bytes of a semaphore."""


@contextmanager
def raised(pid: int, library: Path, probe: str) -> Iterator[None]:
    """Raise the probe's semaphore in the process `pid` while the block runs."""
    place = loaded_at(pid, library) + semaphore(library, probe)
    write(pid, place, 1)
    try:
        yield
    finally:
        write(pid, place, 0)


def write(pid: int, place: int, count: int) -> None:
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(place)
        memory.write(count.to_bytes(SIZE, "little"))


def loaded_at(pid: int, library: Path) -> int:
    """Return the address at which a process has mapped a library."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        addresses, _, offset, _, _, *path = line.split(maxsplit=5)
        if path == [str(library)] and int(offset, 16) == 0:
            return int(addresses.partition("-")[0], 16)
    raise BenchError(f"the process does not have {library.name}")


def semaphore(library: Path, probe: str) -> int:
    """Return the offset of a probe's semaphore in the library: the third word of its note."""
    with library.open("rb") as file:
        section: Any = ELFFile(file).get_section_by_name(".note.stapsdt")
        for note in section.iter_notes() if section else ():
            raw = note["n_descdata"]
            text = raw if isinstance(raw, bytes) else raw.encode("latin-1")
            if text[24:].split(b"\0")[1] == probe.encode():
                return int.from_bytes(text[16:24], "little")
    raise BenchError(f"{library.name} has no probe {probe}")
