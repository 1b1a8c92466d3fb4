# SPDX-License-Identifier: Apache-2.0
"""`pyusdt probes`: the probe table, from the core itself."""

import argparse
import json
import sys
from typing import NamedTuple

from pyusdt import libpyusdt
from pyusdt.errors import ExitCode


class Probe(NamedTuple):
    """A row of the table."""

    name: str
    arguments: tuple[str, ...]
    """"type name" of arg0, arg1 and so on."""
    summary: str
    needs: tuple[str, ...]
    """The events of sys.monitoring that go on while it is watched."""
    provider: str

    @property
    def full_name(self) -> str:
        """With its provider, where that is not pyusdt."""
        return self.name if self.provider == "pyusdt" else f"{self.provider}:{self.name}"

    def cells(self) -> tuple[str, str, str, str]:
        """The row that is printed: name, arguments, when it fires, the events it needs."""
        arguments = ", ".join(text.split()[1] for text in self.arguments)
        needs = "" if self.needs == (self.name,) else ", ".join(self.needs)
        return self.name, arguments, self.summary, needs


HEADINGS = ("probe", "arguments", "fires when", "events")


def table() -> list[Probe]:
    """Return the probes in the order of the table."""
    return [Probe(*row) for row in libpyusdt.probes()]


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments."""
    parser.description = (
        "Print the probes: their arguments (arg0, arg1 and so on; bpftrace reads texts with "
        "str(argN)), when they fire, and the events of sys.monitoring that go on while they are "
        "watched, where that is not just the one of the same name."
    )
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument(
        "--json", action="store_true", help="for programs; with the types of arguments"
    )
    kinds.add_argument("--markdown", action="store_true", help="for documents")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print the table in the form that `arguments` ask for."""
    if arguments.json:
        print(json.dumps([_as_json(probe) for probe in table()], indent=2))
    elif arguments.markdown:
        print(markdown())
    elif sys.stdout.isatty():
        _print_rich()
    else:
        _print_plain()
    return ExitCode.OK


def _as_json(probe: Probe) -> dict[str, object]:
    names = ("type", "name")
    arguments = [dict(zip(names, text.split(), strict=True)) for text in probe.arguments]
    return {**probe._asdict(), "arguments": arguments}


def markdown() -> str:
    """Return the table as it stands in the README."""
    lines = [_markdown_row(HEADINGS), "|---" * len(HEADINGS) + "|"]
    for probe in table():
        _, *others = probe.cells()
        lines.append(_markdown_row((f"`{probe.full_name}`", *others)))
    return "\n".join(lines)


def _markdown_row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def _print_plain() -> None:
    """A line each, whatever its width: for grep and awk."""
    rows = [("provider", *HEADINGS), *((probe.provider, *probe.cells()) for probe in table())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _print_rich() -> None:
    from rich.text import Text

    from pyusdt.report.columns import Column, Name
    from pyusdt.report.columns import table as fitted
    from pyusdt.report.console import console_on

    rows = []
    for probe in table():
        _, arguments, summary, needs = probe.cells()
        name = Text(probe.full_name, "bold")
        rows.append(((name, needs), Name(summary, style="", below=Text(arguments, "dim"))))
    columns = Column(HEADINGS[0], left=True), Column(HEADINGS[3], 1, left=True)
    with console_on(sys.stdout.buffer) as console:
        console.print(fitted(columns, rows, f"{HEADINGS[2]}, {HEADINGS[1]}", console.width))
