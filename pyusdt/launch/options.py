# SPDX-License-Identifier: Apache-2.0
"""The launcher's own options, which stand before the program that is to be run."""

from dataclasses import dataclass

from pyusdt import patterns
from pyusdt.errors import UsageError, nearest

FOREVER = float("inf")

# Takes a value: --option=VALUE, or the next word.
_VALUED = ("-o", "--output", "--flush", "--only", "--exclude")
_PLAIN = ("--wait", "--c-calls")


@dataclass
class Options:
    """What the user wants besides the program."""

    hold_seconds: float = 0.0
    """For how long to wait for a tracer, 0: not at all."""
    holder: int | None = None
    """A socket's number, if `pyusdt trace` is to say when to go on."""
    output: str | None = None
    """The file that the run is recorded to."""
    flush: float | None = None
    only: str = ""
    exclude: str = ""
    c_calls: bool = False


def read(words: list[str]) -> tuple[Options, list[str]]:
    """Return the options, and the words from the program on. Raises UsageError."""
    options = Options()
    rest = list(words)
    while rest:
        word = rest[0]
        if word == "-" or not word.startswith("-") or word[:2] in ("-m", "-c"):
            return _checked(options), rest
        del rest[0]
        name, equals, value = word.partition("=")
        if name[:2] == "-o" and name != "-o":  # -oFILE
            name, equals, value = "-o", "=", word[2:]
        if name in _VALUED and not equals:
            if not rest:
                raise UsageError(f"option '{name}' needs a value")
            value = rest.pop(0)
        _take(options, word, name, value)
    raise UsageError("name the program to run: script.py, -m module, -c code or -")


def _take(options: Options, word: str, name: str, value: str) -> None:
    if name == "--wait":
        options.hold_seconds = _seconds(word, value) if "=" in word else FOREVER
    elif name == "--held-by":  # for `pyusdt trace`, so not in --help
        options.holder = int(value)
    elif name in ("-o", "--output"):
        options.output = _file(value)
    elif name == "--flush":
        options.flush = _seconds(word, value)
    elif name == "--only":
        options.only = _patterns(name, options.only, value)
    elif name == "--exclude":
        options.exclude = _patterns(name, options.exclude, value)
    elif word == "--c-calls":
        options.c_calls = True
    else:
        raise UsageError(f"unknown option '{word}'{_hint(word)}")


def _checked(options: Options) -> Options:
    """Options that make sense only with another one."""
    if options.output is None:
        for name, given in (("--flush", options.flush), ("--c-calls", options.c_calls)):
            if given:
                raise UsageError(f"option '{name}' is about a recording: give -o FILE too")
    return options


def _seconds(word: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < FOREVER:
        name = word.partition("=")[0]
        raise UsageError(f"option '{word}' needs a number of seconds above 0, as in {name}=10")
    return seconds


def _file(value: str) -> str:
    if not value:
        raise UsageError("option '-o' needs the name of a file")
    return value


def _patterns(name: str, before: str, value: str) -> str:
    try:
        return ",".join(filter(None, [before, patterns.text(f"option '{name}'", value)]))
    except ValueError as error:
        raise UsageError(str(error)) from None


def _hint(word: str) -> str:
    if not word.startswith("--"):
        return f"; Python's own options go first: python {word} -m pyusdt"
    known = (*_PLAIN, *_VALUED[1:], "--help", "--version")
    return nearest(word, known) or "; see `python -m pyusdt --help`"
