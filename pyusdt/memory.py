# SPDX-License-Identifier: Apache-2.0
"""Which memory a recording has."""

from typing import Literal

PYTHON = 1
"""What Python's allocators hand out. PYUSDT_MEMORY_* of include/pyusdt_control.h."""
NATIVE = 2
"""And what all else takes from `malloc()`, `mmap()` and their kin."""
KINDS = {"": 0, "python": PYTHON, "all": PYTHON | NATIVE}
"""By the word that asks for it."""
Asked = bool | Literal["python", "all"]
"""What `record(memory=...)` takes."""


def word(asked: bool | str) -> str:
    """The one of KINDS that it is. Raises ValueError."""
    if isinstance(asked, bool):
        return "all" if asked else ""
    if asked not in KINDS or not asked:
        raise ValueError(f'memory is a bool, "python" or "all", not {asked!r}')
    return asked
