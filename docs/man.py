# SPDX-License-Identifier: Apache-2.0
"""Man pages: pyusdt(1), and pyusdt-VERB(1) for each verb."""

import re
from collections.abc import Iterable, Iterator

from docs import ROOT, commands
from docs.commands import Command, Entry
from pyusdt._version import __version__
from pyusdt.errors import ExitCode

DIRECTORY = ROOT / "man"
_EXIT = {
    ExitCode.OK: "The work is done. A program that was launched ends with its own code.",
    ExitCode.FAILURE: "It could not be done: a line on standard error says why.",
    ExitCode.USAGE: "The command line is wrong: a line on standard error says where.",
    ExitCode.INTERRUPTED: "Ctrl-C.",
    ExitCode.PIPE_CLOSED: "The reader of the output has gone.",
}

_ESCAPES = {
    "\\": "\\e",
    "-": "\\-",
    "`": "\\(ga",
    "'": "\\(aq",
    '"': "\\(dq",
    "^": "\\(ha",
    "~": "\\(ti",
}


def write() -> None:
    """Write all pages, and remove those of verbs that have gone."""
    DIRECTORY.mkdir(exist_ok=True)
    made = pages()
    for path in DIRECTORY.glob("*.1"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (DIRECTORY / name).write_text(text)


def pages() -> dict[str, str]:
    """The text of each page by the name of its file."""
    launcher, verbs = commands.launcher(), commands.verbs()
    others = [page_name(verb) for verb in verbs]
    made = {"pyusdt.1": page(launcher, others, verbs)}
    for verb in verbs:
        made[f"{page_name(verb)}.1"] = page(verb, ["pyusdt"])
    return made


def page_name(command: Command) -> str:
    return command.name.replace(" ", "-")


def page(command: Command, see_also: list[str], verbs: Iterable[Command] = ()) -> str:
    """One page in roff, with man(7)'s macros."""
    name = page_name(command)
    lines = [
        '.\\" SPDX-License-Identifier: Apache-2.0',
        '.\\" Made by `make man` from the parsers of the command line.',
        f'.TH {escaped(name.upper())} 1 "" "pyusdt {escaped(__version__)}" "pyusdt manual"',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(command.summary)}",
        ".SH SYNOPSIS",
        ".nf",
        *map(line_of, command.synopsis),
        ".fi",
        ".SH DESCRIPTION",
        *paragraphs(command.description),
    ]
    lines += entries("VERBS", (Entry(f"{page_name(verb)}(1)", verb.summary) for verb in verbs))
    lines += entries("ARGUMENTS", command.arguments)
    lines += entries("OPTIONS", command.options)
    if command.epilog:
        lines += [".SH NOTES", *paragraphs(command.epilog)]
    if verbs:
        lines += entries("ENVIRONMENT", commands.settings())
    lines += entries("EXIT STATUS", (Entry(str(int(code)), text) for code, text in _EXIT.items()))
    lines += [".SH SEE ALSO", " ,\n".join(f".BR {escaped(other)} (1)" for other in see_also)]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """`text` as roff prints it as it is: a minus stays one, and quotes stay straight."""
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def line_of(text: str) -> str:
    return "\\&" + escaped(text) if text.startswith(".") else escaped(text)


def entries(heading: str, listed: Iterable[Entry]) -> Iterator[str]:
    """A section of terms, each with its text; nothing where there is none."""
    begun = False
    for entry in listed:
        if not begun:
            yield f".SH {heading}"
            begun = True
        yield ".TP"
        yield f"\\fB{escaped(entry.term)}\\fR"
        yield line_of(entry.text)


def paragraphs(text: str) -> Iterator[str]:
    """Paragraphs are filled; one that has an indented line is kept as it is."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        lines = paragraph.splitlines()
        if number:
            yield ".PP"
        if any(line.startswith("  ") for line in lines):
            yield from [".nf", *map(line_of, lines), ".fi"]
        else:
            yield from map(line_of, lines)
