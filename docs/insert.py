# SPDX-License-Identifier: Apache-2.0
"""What the `<!-- insert: WHAT ARGUMENT -->` lines of the pages stand for, made from the sources.

verb NAME       synopsis, arguments and options of a verb; `verb pyusdt`: of the launcher
verbs           the verbs, each with its summary
scripts         each script of the collection: its header with its real output
probes          the table of probes, and for each its arguments with their types
schema          the tables and views of a recording
api             the Python API: signatures and docstrings
file PATH       a file of the repository, as code
include PATH    a Markdown file of the repository, as text
"""

import re
import textwrap
from collections.abc import Callable
from pathlib import PurePosixPath

from docs import ROOT, api, commands, escape
from docs.commands import Entry
from pyusdt.commands import probes as probes_command
from pyusdt.recording import schema
from pyusdt.tracing import scripts

MARK = re.compile(r"^<!-- insert: (\w+)(?: (\S+))? -->$", re.MULTILINE)
# [text](target), not an image, and not inside code.
_LINK = re.compile(r"(`[^`\n]*`)|(?<!!)\[([^]\n]+)\]\(([^)\s]+)\)")
# Files of the repository that are pages of the site.
PAGE_OF = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "bench/results/latest.md": "costs.md",
    "scripts/README.md": "scripts.md",
}


def filled(text: str, page: str) -> str:
    """Return the page's `text` with all that is to be inserted. KeyError: nothing is called so."""
    return MARK.sub(lambda mark: MAKERS[mark[1]](mark[2] or "", page), text)


def verb(name: str, _page: str) -> str:
    """One command: synopsis, description, arguments, options."""
    command = commands.launcher() if name == "pyusdt" else commands.verb(name)
    parts = [_code("\n".join(command.synopsis), "text"), _prose(command.description)]
    parts += _entries("Arguments", command.arguments)
    parts += _entries("Options", command.options)
    parts += [_prose(command.epilog)]
    return "\n\n".join(part for part in parts if part)


def verbs(_argument: str, _page: str) -> str:
    rows = ["| verb | what it does |", "| --- | --- |"]
    for listed in commands.verbs():
        name = listed.name.removeprefix("pyusdt ")
        rows.append(f"| [`{name}`]({name}.md) | {escape.prose(listed.summary)} |")
    return "\n".join(rows)


def script_sections(_argument: str, _page: str) -> str:
    return "\n\n".join(
        f"## {script.name}\n\n{_header(script.source)}" for script in scripts.collection()
    )


def probes(_argument: str, _page: str) -> str:
    """The table that the README has, and a list of every probe with the types of its arguments."""
    parts = [probes_command.markdown()]
    for probe in probes_command.table():
        name = probe.name if probe.provider == "pyusdt" else f"{probe.provider}:{probe.name}"
        parts.append(f"## {escape.prose(name)} {{ #{probe.provider}-{probe.name} }}")
        parts.append(escape.prose(f"{probe.summary[0].upper()}{probe.summary[1:]}."))
        rows = ["| argument | name | type |", "| --- | --- | --- |"]
        for number, argument in enumerate(probe.arguments):
            kind, name = argument.split()
            rows.append(f"| `arg{number}` | {escape.prose(name)} | {kind} |")
        parts.append("\n".join(rows))
        if probe.needs and probe.needs != (probe.name,):
            events = ", ".join(f"`{event}`" for event in probe.needs)
            parts.append(f"Events enabled for it: {events}.")
    return "\n\n".join(parts)


def tables(_argument: str, _page: str) -> str:
    return _code(schema.SCHEMA.strip(), "sql")


def python_api(_argument: str, _page: str) -> str:
    return api.page()


def source(path: str, _page: str) -> str:
    return _code((ROOT / path).read_text().strip(), PurePosixPath(path).suffix.lstrip("."))


def include(path: str, _page: str) -> str:
    """A file's text; its links lead to pages of the site, or to nothing where it has none."""

    def link(match: re.Match[str]) -> str:
        if match[1] or match[3].startswith(("http:", "https:", "#")):
            return match[0]
        file, hash_, anchor = match[3].partition("#")
        target = str(PurePosixPath(path).parent / file)
        if target in PAGE_OF:
            return f"[{match[2]}]({PAGE_OF[target]}{hash_}{anchor})"
        if path == "scripts/README.md" and target.endswith(".bt"):
            return f"[{match[2]}](#{PurePosixPath(target).stem})"
        return match[2] if "`" in match[2] else f"`{match[2]}`"

    text = (ROOT / path).read_text()
    pieces = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(p if p.startswith("```") else _LINK.sub(link, p) for p in pieces)


MAKERS: dict[str, Callable[[str, str], str]] = {
    "verb": verb,
    "verbs": verbs,
    "scripts": script_sections,
    "probes": probes,
    "schema": tables,
    "api": python_api,
    "file": source,
    "include": include,
}


def _code(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"


def _prose(text: str) -> str:
    """Paragraphs; one with an indented line is kept as it is."""
    paragraphs = re.split(r"\n\s*\n", text.strip("\n")) if text else []
    return "\n\n".join(
        _code(p, "text") if re.search(r"^  ", p, re.MULTILINE) else escape.prose(p)
        for p in paragraphs
    )


def _entries(heading: str, listed: list[Entry]) -> list[str]:
    if not listed:
        return []
    rows = [f"| {escape.code(e.term)} | {escape.prose(e.text)} |" for e in listed]
    return ["\n".join([f"| {heading.lower()} | |", "| --- | --- |", *rows])]


def _header(text: str) -> str:
    """The comment at the top of a script as Markdown: what is indented is shown as it is."""
    comment = text.partition("/*")[2].partition("*/")[0]
    lines = [line.removeprefix(" *").removeprefix(" ") for line in comment.splitlines()[2:]]
    parts = []
    for part in re.split(r"\n(?:[ ]*\n)+", "\n".join(lines).strip("\n")):
        if part.startswith("    "):
            parts.append(_code(textwrap.dedent(part), "text"))
        elif part.startswith("Question: "):
            question, _, usage = part.removeprefix("Question: ").partition("\nUsage: ")
            parts.append(f"**{escape.prose(question)}**")
            parts.append(_code("\n".join(line.strip() for line in usage.splitlines()), "text"))
        else:
            parts.append(escape.prose(part))
    return "\n\n".join(parts)
