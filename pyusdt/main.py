# SPDX-License-Identifier: Apache-2.0
"""The command line: launch a program or run a verb; errors become one line and an exit code.

What is imported here is imported in every program that is launched, so it is little.
"""

import os
import sys
from collections.abc import Callable

from pyusdt._version import __version__
from pyusdt.commands import VERBS
from pyusdt.errors import ExitCode, UsageError, UserError, nearest
from pyusdt.launch.options import in_help
from pyusdt.launch.run import Program, is_program, parse

USAGE = """\
usage: python -m pyusdt [options] script.py | -m module | -c code | - [arguments...]
       python -m pyusdt verb [arguments...]
"""

HELP = """
Run a Python program so that tracers can follow it, or put a verb to work.

The program finds what python would give it. A file of the given name wins over a verb.
Python's own options go before -m pyusdt.

options:
{options}

verbs (`python -m pyusdt verb --help` has more):
"""


def console() -> None:
    """Do what this process's command line asks for. Returns for exit code 0, else exits.

    The program that is launched runs outside of our error handling: its errors are its own.
    """
    result = _answer(_dispatch)
    if isinstance(result, Program):
        result.load()
        _answer(result.prepare)
        result.execute()
    elif result != ExitCode.OK:
        sys.exit(result)


def _answer[T](work: Callable[[], T]) -> T:
    """Return what `work` returns; where the user has to act, say so in one line and exit."""
    try:
        result = work()
        sys.stdout.flush()
        return result
    except UserError as error:
        print(f"pyusdt: {error}", file=sys.stderr)
        code = error.code
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        # What is left in the buffer would fail once more when Python flushes it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.PIPE_CLOSED
    sys.exit(code)


def _dispatch() -> int | Program:
    """Answer at once, run a verb, or return the program that is to be launched."""
    words = sys.argv[1:]
    first = words[0] if words else ""
    if not words:
        sys.stderr.write(USAGE)
        return ExitCode.USAGE
    if first in ("-h", "--help"):
        print(USAGE + HELP.format(options=in_help()) + "\n".join(_verb_lines()))
    elif first in ("-V", "--version"):
        print(f"pyusdt {__version__}")
    elif is_program(first) or first not in VERBS:
        _refuse_mistyped_verb(first)
        return parse(words)
    else:
        return _run_verb(first, words[1:])
    return ExitCode.OK


def _verb_lines() -> list[str]:
    width = max(map(len, VERBS))
    return [f"  {verb:{width}}  {summary}" for verb, (_, summary) in VERBS.items()]


def _refuse_mistyped_verb(word: str) -> None:
    """Raise UsageError for a bare word that is neither a file nor a verb.

    A word with a dot or a slash is the name of a program, of which Python says that it is missing.
    """
    if word.isidentifier() and not os.path.lexists(word):
        hint = nearest(word, VERBS) or "; see `python -m pyusdt --help`"
        raise UsageError(f"there is no file and no verb '{word}'{hint}")


def _run_verb(verb: str, words: list[str]) -> int:
    """Load the module of `verb`, parse `words` as it declares, and run it; the exit code."""
    import argparse
    from importlib import import_module
    from typing import Any, NoReturn

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise UsageError(f"{verb}: {message}; see `{self.prog} --help`")

        def print_help(self, file: Any = None) -> None:
            # argparse's own swallows the error of a closed pipe.
            print(self.format_help(), end="", file=file, flush=True)

    module = import_module(f"pyusdt.commands.{VERBS[verb][0]}")
    parser = Parser(prog=f"python -m pyusdt {verb}", allow_abbrev=False)
    module.declare(parser)
    program = None
    if "--" in words and "program" in parser._defaults:
        end = words.index("--")
        words, program = words[:end], words[end + 1 :]
    arguments, unknown = parser.parse_known_intermixed_args(words)
    if unknown:
        options = [name for action in parser._actions for name in action.option_strings]
        hint = nearest(unknown[0], options) or f"; see `{parser.prog} --help`"
        raise UsageError(f"{verb}: unknown argument '{unknown[0]}'{hint}")
    if program is not None:
        arguments.program = program
    return int(module.run(arguments))
