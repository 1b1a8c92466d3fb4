# SPDX-License-Identifier: Apache-2.0
"""The launcher's own options, which stand before the program to run: one table, which is parsed
by, printed by --help, and shown in README.md."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pyusdt import patterns
from pyusdt.errors import UsageError, called, nearest
from pyusdt.memory import KINDS
from pyusdt.memory import word as memory_word

FOREVER = float("inf")
TIMES = ("exact", "sampled")
"""Of calls: those of each, by the clock, or what the sampler finds."""


@dataclass
class Options:
    """What the user wants besides the program."""

    hold_seconds: float = 0.0
    """For how long to wait for a tracer, 0: not at all."""
    holder: int | None = None
    """A socket's number, if `pyusdt trace` holds the program."""
    output: str | None = None
    """The file that the run is recorded to."""
    flush: float | None = None
    only: str = ""
    exclude: str = ""
    c_calls: bool = False
    times: str = "exact"
    """One of TIMES."""
    children: bool = True
    """Whether the processes that the program starts are recorded too."""
    lines: str = ""
    """Patterns of the functions whose lines are recorded, or `all`, or `profile`."""
    memory: str = ""
    """Which memory is recorded: one of memory.KINDS."""
    source: bool = True
    """Whether the texts of their files are recorded too."""
    kernel: bool = False
    """Whether the kernel's account is recorded too."""
    max_nodes: int | None = None
    """How many calling contexts there is memory for in a process; None: the recorder's default."""


class Option(NamedTuple):
    """A row of the table."""

    names: tuple[str, ...]
    """The long one is the last."""
    value: str
    """The name of its value; "": it takes none; in brackets: it may be left out, and never is the
    next word."""
    field: str
    """Of `Options`."""
    convert: Callable[[str, str, str], object]
    """Of the word that was given, the value, and what an earlier one has set; raises UsageError."""
    help: str
    """"": not shown."""
    adds: bool = False
    """Given again, it adds to what it has; another option with a value is given once."""

    @property
    def usage(self) -> str:
        """How it is spelled."""
        equals = f"[={self.value[1:-1]}]" if self.value[:1] == "[" else f"={self.value}"
        return ", ".join(self.names) + (equals if self.value else "")


def _seconds(word: str, value: str, _before: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < FOREVER:
        name = word.partition("=")[0]
        raise UsageError(f"option '{word}' needs a number of seconds above 0, as in {name}=10")
    return seconds


def _wait_seconds(word: str, value: str, before: str) -> float:
    return _seconds(word, value, before) if "=" in word else FOREVER


def _file(word: str, value: str, _before: str) -> str:
    if not value:
        raise UsageError(f"option '{word.partition('=')[0]}' needs the name of a file")
    return value


def _patterns(word: str, value: str, before: str) -> str:
    try:
        more = patterns.text(f"option '{word.partition('=')[0]}'", value)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return ",".join(filter(None, [before, more]))


def _times(word: str, value: str, _before: str) -> str:
    if value not in TIMES:
        raise UsageError(
            f"option '{word.partition('=')[0]}' is {' or '.join(TIMES)}, not '{value}'"
        )
    return value


def _memory(word: str, value: str, _before: str) -> str:
    try:
        return memory_word(value if "=" in word else True)
    except ValueError:
        name, known = word.partition("=")[0], " or ".join(filter(None, KINDS))
        raise UsageError(f"option '{name}' is {known}, or has no value, not '{value}'") from None


def _holder(_word: str, value: str, _before: str) -> int:
    return int(value)


def _number(word: str, value: str, _before: str) -> int:
    digits = value.isascii() and value.isdigit() and len(value) < 19
    if not digits or int(value) == 0:
        name = word.partition("=")[0]
        raise UsageError(f"option '{name}' needs a number above 0, as in {name}=1000000")
    return int(value)


def _no(_word: str, _value: str, _before: str) -> bool:
    return False


def _yes(_word: str, _value: str, _before: str) -> bool:
    return True


OPTIONS = (
    Option(("--wait",), "[SECONDS]", "hold_seconds", _wait_seconds,
        "hold the program until a tracer attaches; when none has after SECONDS, the program is not"
        " run and the exit code is 1"),
    Option(("-o", "--output"), "FILE", "output", _file,
        "record the whole run, with its child processes, to FILE"),
    Option(("--flush",), "SECONDS", "flush", _seconds,
        "write FILE that often while the program runs, in case it is killed"),
    Option(("--c-calls",), "", "c_calls", _yes,
        "record the calls of C functions too"),
    Option(("--times",), "WHICH", "times", _times,
        "exact: of each call (the default); sampled: calls are counted without a clock, which costs"
        " less, and times are what a sampler finds"),
    Option(("--lines",), "PATTERNS", "lines", _patterns,
        "record the lines of these functions too: patterns as of --only; '*': of the program,"
        " without what is installed; all: of everything; profile: of those below a bare @profile,"
        " as scripts for kernprof have it", adds=True),
    Option(("--memory",), "[WHICH]", "memory", _memory,
        "record what each function allocates, too, and what of it is alive: all (the default);"
        " python: only what Python's allocators hand out; sampled: what samples of all stand for,"
        " which costs little"),
    Option(("--no-source",), "", "source", _no,
        "do not keep the text of those lines"),
    Option(("--no-children",), "", "children", _no,
        "record this process only, not the Pythons that it starts"),
    Option(("--kernel",), "", "kernel", _yes,
        "as root, with bpftrace: record what the kernel does for each function, too: system calls,"
        " waits, page faults, input and output"),
    Option(("--max-nodes",), "NUMBER", "max_nodes", _number,
        "have memory for so many calling contexts in each process"),
    Option(("--only",), "PATTERNS", "only", _patterns,
        "trace and record only these functions: module:qualname with * and ?, or a module and all"
        " below it; commas between patterns", adds=True),
    Option(("--exclude",), "PATTERNS", "exclude", _patterns,
        "not these, even where --only has them", adds=True),
    Option(("--held-by",), "NUMBER", "holder", _holder, ""),
)  # fmt: skip
# Answered before a program is looked for, by pyusdt.main.
_ANSWERED = (
    (("-h", "--help"), "print this help"),
    (("-V", "--version"), "print the version of pyusdt"),
)
_BY_NAME = {name: option for option in OPTIONS for name in option.names}


def read(words: list[str]) -> tuple[Options, list[str]]:
    """Return the options, and the words from the program on. Raises UsageError."""
    options = Options()
    given: set[str] = set()
    rest = list(words)
    while rest:
        word = rest[0]
        if word == "-" or not word.startswith("-") or word[:2] in ("-m", "-c"):
            return _checked(options), rest
        del rest[0]
        _take(options, word, rest, given)
    raise UsageError("name the program to run: script.py, -m module, -c code or -")


def _take(options: Options, word: str, rest: list[str], given: set[str]) -> None:
    """Set what `word` asks for, whose value may be the first of the `rest`, and add it to those
    that were `given`."""
    name, equals, value = word.partition("=")
    if name[:2] == "-o" and name != "-o":  # -oFILE
        name, equals, value = "-o", "=", word[2:]
    option = _BY_NAME.get(name)
    if option is None or (equals and not option.value):
        raise UsageError(f"unknown option '{word}'{_hint(word)}")
    if option.value.isalpha() and not equals:
        if not rest:
            raise UsageError(f"option '{name}' needs a value")
        value = rest.pop(0)
    if option.field in given and option.value and not option.adds:
        raise UsageError(f"option '{name}' is given twice")
    given.add(option.field)
    setattr(options, option.field, option.convert(word, value, getattr(options, option.field)))


def _checked(options: Options) -> Options:
    """Raises UsageError where an option makes sense only with another one."""
    if options.output is None:
        about = {
            "--flush": options.flush,
            "--c-calls": options.c_calls,
            "--times": options.times != "exact",
            "--lines": options.lines,
            "--memory": options.memory,
            "--no-source": not options.source,
            "--no-children": not options.children,
            "--kernel": options.kernel,
            "--max-nodes": options.max_nodes,
        }
        for name, given in about.items():
            if given:
                raise UsageError(f"option '{name}' is about a recording: give -o FILE too")
    return options


def _hint(word: str) -> str:
    if not word.startswith("--"):
        return f"; Python's own options go first: python {word} -m pyusdt"
    known = [names[-1] for names, _ in _ANSWERED]
    known += [option.names[-1] for option in OPTIONS if option.help]
    return nearest(word, known) or f"; see `{called()} --help`"


def rows() -> list[tuple[str, str]]:
    """How each option is spelled, and what it does."""
    answered = [(", ".join(names), help_text) for names, help_text in _ANSWERED]
    return [(option.usage, option.help) for option in OPTIONS if option.help] + answered


def in_help() -> str:
    """The options as --help shows them."""
    from textwrap import wrap

    lines = []
    for usage, help_text in rows():
        first, *others = wrap(help_text, 72)
        lines += [f"  {usage:<19} {first}", *(f"{'':22}{line}" for line in others)]
    return "\n".join(lines)


def markdown() -> str:
    """The options as they stand in the README."""
    lines = ["| option | |", "|---|---|"]
    return "\n".join(lines + [f"| `{usage}` | {help_text} |" for usage, help_text in rows()])
