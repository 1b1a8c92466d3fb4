# SPDX-License-Identifier: Apache-2.0
"""What a report may be asked for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """What a format may be asked for; a format takes what it can show.

    `sort` is a field of Function or MemoryFigures, a class of wait, or `name`; None takes own CPU
    time where that is known, else own wall time. `top` limits the functions, None shows all.
    `threads` shows each thread, not those of one name as one. `waits` shows who waits for what,
    `modules` sums up by module. `lines` shows lines: "" those of all functions, else those of the
    functions that it names (lines.py); `full` also those that do not matter. `memory` shows memory,
    of functions, or with `tree` or `lines` of these; `leaks` what is alive at the end. `weight` is
    what a stack weighs in the folded format. `growth` shows what grows from step to step. `source`
    embeds lines of source files.
    """

    sort: str | None = None
    top: int | None = None
    tree: bool = False
    steps: bool = False
    growth: bool = False
    threads: bool = False
    waits: bool = False
    modules: bool = False
    lines: str | None = None
    full: bool = False
    memory: bool = False
    leaks: bool = False
    weight: str = "wall"
    source: bool = True
