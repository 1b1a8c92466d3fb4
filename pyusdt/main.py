# SPDX-License-Identifier: Apache-2.0
"""The command line: launch a program or run a verb; errors become one line and an exit code.

What is imported here is imported in every program that is launched, so it is little.
"""

import errno
import os
import sys

try:
    from collections.abc import Callable

    from pyusdt._version import __version__
    from pyusdt.commands import VERBS
    from pyusdt.errors import ExitCode, UsageError, UserError, called, nearest, print_line
    from pyusdt.launch.options import in_help
    from pyusdt.launch.run import Program, is_program, parse
except KeyboardInterrupt:
    sys.exit(130)  # as below; the import takes most of the time until the program runs

USAGE = """\
usage: {called} [options] script.py | -m module | -c code | - [arguments...]
       {called} verb [arguments...]
"""

HELP = """
Run a Python program so that tracers can follow it, or put a verb to work.

The program finds what python would give it. A file of the given name wins over a verb.
Python's own options go before -m pyusdt.

options:
{options}
"""

VERBS_HELP = """
verbs (`{called} verb --help` has more):
{verbs}
"""


_ANSWERED = ("help", "-h", "--help", "-V", "--version")
_STDERR = 2
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


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
        if sys.stdout is not None:
            sys.stdout.flush()
        return result
    except UserError as error:
        print_line(error)
        code = error.code
    except ImportError as error:
        if error.name is None or error.name.startswith("pyusdt"):
            raise
        print_line(f"this Python has no module {error.name}, which that needs")
        code = ExitCode.FAILURE
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        # What is left in the buffer would fail once more when Python flushes it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.PIPE_CLOSED
    except OSError as error:
        if error.errno not in _OUTPUT_ERRORS or error.filename:
            raise
        # It has no name, so it is our output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print_line(f"standard output: cannot write: {os.strerror(error.errno).lower()}")
        code = ExitCode.FAILURE
    sys.exit(code)


def _dispatch() -> int | Program:
    """Answer at once, run a verb, or return the program that is to be launched."""
    words = sys.argv[1:]
    first = words[0] if words else ""
    if not words:
        if sys.stderr is not None:
            sys.stderr.write(_usage() + _verbs())
        return ExitCode.USAGE
    if is_program(first) or (first not in VERBS and first not in _ANSWERED):
        _refuse_mistyped_verb(first)
        return parse(words)
    _prepare_output()
    if first == "help":
        first, words = "--help", words[1:]
        if words and words[0] in VERBS:
            return _run_verb(words[0], ["--help"])
    if first in ("-h", "--help"):
        print(_usage() + HELP.format(options=in_help()) + _verbs(), end="")
    elif first in ("-V", "--version"):
        print(f"pyusdt {__version__}")
    else:
        return _run_verb(first, words[1:])
    return ExitCode.OK


def _usage() -> str:
    return USAGE.format(called=called())


def _prepare_output() -> None:
    """Whatever the terminal's encoding is, all text can be written. Raises UserError where there is
    no output; no file that we open gets its number or that of another stream."""
    from io import TextIOWrapper

    while os.open(os.devnull, os.O_RDWR) <= _STDERR:
        pass
    if sys.stdout is None:
        raise UserError("standard output is closed")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _verbs() -> str:
    width = max(map(len, VERBS))
    lines = [f"  {verb:{width}}  {summary}" for verb, (_, summary) in VERBS.items()]
    return VERBS_HELP.format(called=called(), verbs="\n".join(lines))


def _refuse_mistyped_verb(word: str) -> None:
    """Raise UsageError for a bare word that is neither a file nor a verb.

    A word with a dot or a slash is the name of a program, of which Python says that it is missing.
    """
    if word.isidentifier() and not os.path.lexists(word):
        hint = nearest(word, [*VERBS, "help"]) or f"; see `{called()} --help`"
        raise UsageError(f"there is no file and no verb '{word}'{hint}")


def _run_verb(verb: str, words: list[str]) -> int:
    """Load the module of `verb`, parse `words` as it declares, and run it; the exit code."""
    import argparse
    from importlib import import_module
    from typing import Any, NoReturn

    class Once(argparse._StoreAction):
        given = False

        def __call__(self, parser: Any, *rest: Any, **named: Any) -> None:
            if self.given and self.option_strings:
                parser.error(f"option '{'/'.join(self.option_strings)}' is given twice")
            self.given = True
            super().__call__(parser, *rest, **named)

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise UsageError(f"{verb}: {message}; see `{self.prog} --help`")

        def print_help(self, file: Any = None) -> None:
            # argparse's own swallows the error of a closed pipe.
            print(self.format_help(), end="", file=file, flush=True)

    module = import_module(f"pyusdt.commands.{VERBS[verb][0]}")
    parser = Parser(prog=f"{called()} {verb}", allow_abbrev=False)
    parser.register("action", None, Once)
    module.declare(parser)
    program = None
    if "--" in words and "program" in parser._defaults:
        end = words.index("--")
        words, program = words[:end], words[end + 1 :]
    about = getattr(module, "help_about", None)
    if about and {"-h", "--help"} & {*words} and (text := about(words)):
        print(text, end="")
        return ExitCode.OK
    arguments, unknown = parser.parse_known_intermixed_args(words)
    if unknown:
        options = [name for action in parser._actions for name in action.option_strings]
        hint = nearest(unknown[0], options) or f"; see `{parser.prog} --help`"
        raise UsageError(f"{verb}: unknown argument '{unknown[0]}'{hint}")
    if program is not None:
        arguments.program = program
    return int(module.run(arguments))
