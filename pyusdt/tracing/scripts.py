# SPDX-License-Identifier: Apache-2.0
"""The collection of scripts: each answers one question, which its comment header names."""

import os
import re
from functools import cached_property
from pathlib import Path

from pyusdt.errors import UsageError, UserError, nearest

DIRECTORY = Path(__file__).resolve().parent.parent / "scripts"

# Of kernel events, as a script spells them, and of what needs the kernel's types.
_KERNEL_EVENT = re.compile(r"\b(tracepoint|kprobe|kretprobe|kfunc|kretfunc|fentry|fexit):")
_KERNEL_TYPE = re.compile(r"\bstruct \w+ \*|\b(kfunc|kretfunc|fentry|fexit):|\bcurtask\b")
_NUMBERS = ("MS", "TID")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


class Script:
    """A bpftrace script that takes the library's path as its first parameter."""

    def __init__(self, path: Path) -> None:
        """Read it. Raises UserError where that is not possible."""
        self.path = path
        self.name = path.stem
        try:
            self.source = path.read_text(errors="replace")
        except OSError as error:
            raise UserError(f"cannot read {path}: {error.strerror}") from None

    def _of_header(self, name: str) -> str:
        found = re.search(rf"^ \* {name}: (.*)$", self.source, re.MULTILINE)
        return found[1].strip() if found else ""

    @cached_property
    def header(self) -> str:
        """Its comment: what it is for, its parameters, an example, how to read it, its cost."""
        comment = self.source.partition("/*")[2].partition("*/")[0]
        lines = [line.removeprefix(" *").removeprefix(" ") for line in comment.splitlines()]
        return "\n".join(lines[1:]).strip("\n ")

    @cached_property
    def question(self) -> str:
        """What it answers, or "" if it is none of the collection."""
        return self._of_header("Question")

    @cached_property
    def parameters(self) -> str:
        """Its parameters behind what it is given, as its usage spells them, such as "[MS]"."""
        usage = self._of_header("Usage").removeprefix(f"pyusdt trace {self.name} ")
        return usage.partition("[-p PID")[0].strip()

    @property
    def parameter_names(self) -> list[str]:
        """Those parameters, each by its name."""
        return re.findall(r"\w+", self.parameters)

    @cached_property
    def given(self) -> list[str]:
        """What it is given between the library's path and its parameters.

        "PYTHON" is the path of the interpreter's code. "PID" is the process, or 0 for all: it wants
        that in place of bpftrace's -p, which from 0.24 on keeps kernel events of others away.
        """
        found = re.search(r"^ \* +bpftrace \S+ LIBRARY ((?:PYTHON |\[PID\] ?)*)", self.source, re.M)
        return re.findall(r"\w+", found[1]) if found else []

    @cached_property
    def code(self) -> str:
        """The source without its comments."""
        return _COMMENT.sub("", self.source)

    @property
    def has_kernel_events(self) -> bool:
        """Whether it needs the kernel's list of events, tracefs."""
        return bool(_KERNEL_EVENT.search(self.code))

    @property
    def has_tracepoint_arguments(self) -> bool:
        """Whether it reads what tracepoints carry."""
        return "tracepoint:" in self.code and bool(re.search(r"\bargs\b", self.code))

    @property
    def has_kernel_types(self) -> bool:
        """Whether it needs the kernel's types."""
        return bool(_KERNEL_TYPE.search(self.code))

    @property
    def is_ours(self) -> bool:
        """Whether it is of the collection."""
        return bool(self.question) and self.path.parent == DIRECTORY

    def check(self, parameters: list[str]) -> None:
        """Raise UsageError for what one of ours does not take: bpftrace takes a word for 0."""
        names = self.parameter_names
        see = f"see `pyusdt trace {self.name} --help`"
        if not self.is_ours:
            return
        if len(parameters) > len(names):
            takes = f"takes {self.parameters}" if names else "takes no parameter"
            raise UsageError(f"trace: {self.name} {takes}, not '{parameters[len(names)]}'; {see}")
        for name, text in zip(names, parameters, strict=False):
            if name in _NUMBERS and not (text.isascii() and text.isdecimal() and len(text) < 10):
                raise UsageError(f"trace: {name} is a whole number, not '{text}'; {see}")


def collection() -> list[Script]:
    """Return the scripts that answer a question, by name."""
    scripts = [Script(path) for path in sorted(DIRECTORY.glob("*.bt"))]
    return [script for script in scripts if script.question]


def find(tool: str) -> Script:
    """Return the script of this name, or that in this file: a path, or what ends in .bt.

    Raises UsageError where there is none.
    """
    if os.sep in tool or tool.endswith(".bt"):
        if not os.path.isfile(tool):
            raise UsageError(f"there is no script {tool}")
        return Script(Path(tool))
    path = DIRECTORY / f"{tool}.bt"
    if not path.is_file():
        hint = nearest(tool, [script.name for script in collection()])
        raise UsageError(f"there is no tool '{tool}'{hint or '; see `pyusdt trace --list`'}")
    return Script(path)
