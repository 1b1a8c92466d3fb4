# SPDX-License-Identifier: Apache-2.0
"""Tables for people: coloured and as wide as the terminal; plain and wide where there is none."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from rich.console import Console
from rich.table import Table

_WIDE = 200


@contextmanager
def console_on(out: BinaryIO) -> Iterator[Console]:
    """A console whose text goes to `out` at the end. Names are never taken for markup."""
    terminal = out is sys.stdout.buffer and sys.stdout.isatty()
    stream = io.StringIO()
    yield Console(
        file=stream,
        force_terminal=terminal,
        width=Console().width if terminal else _WIDE,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )
    lines = stream.getvalue().splitlines()
    out.write("".join(line.rstrip() + "\n" for line in lines).encode())


def new_table(*columns: str, last: str) -> Table:
    """A table of figures, right-aligned and never cut; `last` is for names, and gives way."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column(last)
    return table
