# SPDX-License-Identifier: Apache-2.0
"""`pyusdt set -p PID ...`: change the settings of pyusdt in a running process."""

import argparse

from pyusdt import libpyusdt
from pyusdt.commands.processes import process_id, settings_in_words
from pyusdt.errors import ExitCode, UsageError, called, print_line
from pyusdt.remote.control_layout import VALUES
from pyusdt.remote.control_requests import request
from pyusdt.remote.looks import change
from pyusdt.unmatched import nearest

_SETTINGS = ("only", "exclude", "values", "slow", "large", "check_msec", "verbose")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments."""
    parser.description = (
        "Change the settings of pyusdt in a running process, until it ends. It takes the "
        "permission to trace it: its own user's, or root's."
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "patterns, with commas between them:\n"
        "  myapp                 the module myapp and all below it\n"
        "  myapp.views:Shop.*    functions by module:qualname; * is any text, ? one character"
    )
    add = parser.add_argument
    add("-p", "--pid", type=process_id, required=True, metavar="PID", help="the process")
    add("--only", metavar="PATTERNS", help="report these functions only; '' for all")
    add("--exclude", metavar="PATTERNS", help="report all but these; '' for none")
    add("--values", choices=VALUES, help="how values become text: repr may run the program's code")
    add(
        "--slow",
        metavar="TIME",
        help="function__slow fires from so long on: 10ms, 500us, off",
    )
    add(
        "--large",
        metavar="SIZE",
        help="mem__large fires from so many bytes at once on: 64KiB, 1MB, 4096",
    )
    add("--check-msec", type=int, metavar="N", help="poll for tracers every N milliseconds")
    add(
        "--verbose",
        action=argparse.BooleanOptionalAction,
        help="have it say on stderr when events go on and off",
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    """Change what is given, and print what is in effect then."""
    given = {name: getattr(arguments, name) for name in _SETTINGS}
    if all(value is None for value in given.values()):
        raise UsageError(f"set: nothing is given to set; see `{called()} set --help`")
    try:
        wanted = request(**given)
        libpyusdt.check(wanted)
    except ValueError as error:
        raise UsageError(f"set: {error}") from None
    status = change(arguments.pid, wanted)
    in_effect = ", ".join(f"{name} {value}" for name, value in settings_in_words(status))
    print(f"process {arguments.pid}: {in_effect}")
    for pattern in filter(None, status["only"].split(",") if arguments.only else []):
        # What the process will run is not known, but that it has a __main__.
        if found := nearest(pattern, (), ["__main__"]):
            print_line(f"--only {pattern}: did you mean {found}?")
    return ExitCode.OK
