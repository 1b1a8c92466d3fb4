# SPDX-License-Identifier: Apache-2.0
"""What the program says of its own command line, as data: for the man pages and for the site.

Nothing here depends on the width of a terminal or on a Python's own way to print help.
"""

import argparse
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module

from docs import PAGES, ROOT
from pyusdt.commands import VERBS
from pyusdt.tracing import scripts

_WIDTH = 72
_SETTING = re.compile(r"^\| `(PYUSDT_\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """An argument or an option: how it is written, and what it does."""

    term: str
    text: str


@dataclass
class Command:
    """A program or a verb. Texts are plain: paragraphs, with a blank line between them."""

    name: str
    summary: str
    synopsis: list[str]
    description: str
    arguments: list[Entry] = field(default_factory=list)
    options: list[Entry] = field(default_factory=list)
    epilog: str = ""


def launcher() -> Command:
    """`pyusdt` itself, read from its --help: it parses its options without argparse."""
    text = subprocess.check_output(
        [sys.executable, "-m", "pyusdt", "--help"], cwd=ROOT, text=True, env=_plain_environment()
    )
    usage, _, rest = _spelled(text).partition("\n\n")
    paragraphs, _, rest = rest.partition("\noptions:\n")
    options, _, _ = rest.partition("\n\n")
    return Command(
        name="pyusdt",
        summary="run a Python program so that tracers can follow it, or run a verb",
        synopsis=[line.removeprefix("usage:").strip() for line in usage.splitlines()],
        description=paragraphs.strip(),
        options=list(_entries(options)),
    )


def verbs() -> list[Command]:
    """Return the verbs, by name."""
    return [verb(name) for name in sorted(VERBS)]


def verb(name: str) -> Command:
    """Return one verb, read from its parser."""
    module, summary = VERBS[name]
    parser = argparse.ArgumentParser(prog=f"pyusdt {name}", allow_abbrev=False)
    import_module(f"pyusdt.commands.{module}").declare(parser)
    actions = list(parser._actions)
    return Command(
        name=f"pyusdt {name}",
        summary=summary,
        synopsis=_synopsis(parser),
        description=_spelled(parser.description or ""),
        arguments=[_entry(action) for action in actions if not action.option_strings],
        options=[_entry(action) for action in actions if action.option_strings],
        epilog=_spelled(parser.epilog or ""),
    )


def settings() -> list[Entry]:
    """The environment variables, as the page about settings has them."""
    rows = _SETTING.findall((PAGES / "settings.md").read_text())
    return [
        Entry(name, f"{text}. Values: {values}; default: {default}.".replace("`", ""))
        for name, values, default, text in rows
    ]


def _plain_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("PYUSDT_")} | {"NO_COLOR": "1"}


def _spelled(text: str) -> str:
    """`text` with the one spelling of the command, and without a path of this machine."""
    text = text.replace("python -m pyusdt", "pyusdt")
    return text.replace(str(scripts.DIRECTORY), "the package's directory scripts").strip()


def _entries(text: str) -> Iterator[Entry]:
    """The entries of a list in a help text: two spaces, the term, two spaces or more, the text."""
    for block in re.split(r"\n(?=  \S)", text):
        term, _, rest = block.strip().partition("  ")
        yield Entry(term, " ".join(rest.split()))


def _entry(action: argparse.Action) -> Entry:
    value = _value(action)
    term = ", ".join(action.option_strings)
    text = (action.help or "") % {**vars(action), "prog": "pyusdt"}
    return Entry(" ".join(filter(None, [term, value])), _spelled(text))


def _value(action: argparse.Action) -> str:
    """What stands for the value, or the values, of an argument."""
    if action.nargs == 0:
        return ""
    if isinstance(action.metavar, str):
        name = action.metavar
    elif action.choices is not None:
        name = "{" + ",".join(map(str, action.choices)) + "}"
    else:
        name = action.dest.upper()
    if action.nargs == "+":
        return f"{name} [{name} ...]"
    return f"[{name} ...]" if action.nargs == "*" else name


def _synopsis(parser: argparse.ArgumentParser) -> list[str]:
    if parser.usage:
        usage = parser.usage % {"prog": parser.prog}
        return [line.strip() for line in _spelled(usage).splitlines()]
    words, seen = [parser.prog], set[argparse.Action]()
    options = [action for action in parser._actions if action.option_strings]
    for action in options + [a for a in parser._actions if not a.option_strings]:
        groups = [g for g in parser._mutually_exclusive_groups if action in g._group_actions]
        group = groups[0] if groups else None
        members = [action] if group is None else group._group_actions
        if action not in seen:
            words.append(_usage(members, action.required or bool(group and group.required)))
            seen.update(members)
    kept = [word.replace(" ", "\N{NO-BREAK SPACE}") for word in words[1:]]
    indent = " " * (len(parser.prog) + 1)
    lines = textwrap.wrap(
        " ".join(kept),
        _WIDTH,
        break_on_hyphens=False,
        break_long_words=False,
        initial_indent=f"{parser.prog} ",
        subsequent_indent=indent,
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _usage(actions: list[argparse.Action], required: bool) -> str:
    shown = []
    for action in actions:
        names = action.option_strings
        # BooleanOptionalAction has both --x and --no-x; another one has a short and a long name.
        both = isinstance(action, argparse.BooleanOptionalAction)
        term = " | ".join(names) if both else "".join(names[:1])
        shown.append(" ".join(filter(None, [term, _value(action)])))
    text = " | ".join(shown)
    return text if required else f"[{text}]"
