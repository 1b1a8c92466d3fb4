# SPDX-License-Identifier: Apache-2.0
"""What a report may be asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """What a format may be asked for; a format takes what it can show.

    `sort` is a field of Function or `name`; `top` limits the functions, None shows all.
    `threads` shows each thread, not those of one name as one. `source` embeds
    lines of source files.
    """

    sort: str = "self_ns"
    top: int | None = None
    tree: bool = False
    steps: bool = False
    threads: bool = False
    source: bool = True
