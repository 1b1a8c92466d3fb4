# SPDX-License-Identifier: Apache-2.0
"""The console of tables: as wide as the terminal, coloured where that is wanted.

COLUMNS gives the width, also where there is no terminal; without it a file or a pipe gets 200.
NO_COLOR, if it is not empty, leaves out every escape sequence: no bold either.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Literal

from rich.console import Console

_WIDE = 200
_NARROWEST, _WIDEST = 40, 1000


@contextmanager
def console_on(out: BinaryIO) -> Iterator[Console]:
    """A console whose text goes to `out` at the end. Names are never taken for markup."""
    terminal = out is sys.stdout.buffer and sys.stdout.isatty()
    stream = io.StringIO()
    yield Console(
        file=stream,
        force_terminal=terminal,
        color_system=colours(),
        width=_width(terminal),
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )
    lines = stream.getvalue().splitlines()
    out.write("".join(line.rstrip() + "\n" for line in lines).encode())


def colours() -> Literal["auto"] | None:
    """What a console of rich takes as `color_system`: without one it styles nothing."""
    return None if os.environ.get("NO_COLOR") else "auto"


def _width(terminal: bool) -> int:
    wanted = os.environ.get("COLUMNS", "")
    if terminal or (wanted.isdecimal() and int(wanted)):
        return max(_NARROWEST, min(Console().width, _WIDEST))
    return _WIDE
