# SPDX-License-Identifier: Apache-2.0
"""Which memory a recording has."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Literal

PYTHON = 1
"""What Python's allocators hand out. PYUSDT_MEMORY_* of include/pyusdt_control.h."""
NATIVE = 2
"""And what all else takes from `malloc()`, `mmap()` and their kin."""
SAMPLED = 4
"""Of those, samples."""
KINDS = {"": 0, "python": PYTHON, "all": PYTHON | NATIVE, "sampled": PYTHON | NATIVE | SAMPLED}
"""By the word that asks for it."""
Asked = bool | Literal["python", "all", "sampled"]
"""What `record(memory=...)` takes."""


SAMPLE_BYTES = 512 << 10
"""The mean distance between two samples; as src/memory/sample.h has it."""


def is_sampled(kinds: str | None) -> bool:
    """Whether such memory of a process (`Process.memory`) is estimated from samples."""
    return "sampled" in (kinds or "")


def together(wanted: Iterable[int]) -> int:
    """What several recorders want: every block, if any of those that want memory does."""
    kinds = [bits for bits in wanted if bits]
    sampled = SAMPLED if all(bits & SAMPLED for bits in kinds) else 0
    return reduce(or_, kinds, 0) & ~SAMPLED | (sampled if kinds else 0)


def word(asked: bool | str) -> str:
    """The one of KINDS that it is. Raises ValueError."""
    if isinstance(asked, bool):
        return "all" if asked else ""
    if asked not in KINDS or not asked:
        raise ValueError(f'memory is a bool, "python", "all" or "sampled", not {asked!r}')
    return asked
