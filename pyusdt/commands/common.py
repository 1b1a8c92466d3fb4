# SPDX-License-Identifier: Apache-2.0
"""What verbs that read recordings share: progress, and kinds of arguments."""

import argparse
import gc
import sys
import time

from pyusdt import patterns
from pyusdt.errors import UsageError
from pyusdt.recording import Recording, load

_PATIENCE_SECONDS = 1.0


def loaded(path: str) -> Recording:
    """The recording at `path`; see `pyusdt.load`. What takes over a second shows its progress, on a
    terminal."""
    gc.disable()  # it would look for circles in a million nodes, again and again: there are none
    if sys.stderr is None or not sys.stderr.isatty():
        return load(path)
    from rich.console import Console
    from rich.progress import Progress

    from pyusdt.report.console import colours

    late = time.monotonic() + _PATIENCE_SECONDS
    progress = Progress(console=Console(stderr=True, color_system=colours()), transient=True)
    task = progress.add_task("reading")

    def show(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total)
        if time.monotonic() > late:
            progress.start()  # which does nothing the second time

    try:
        return load(path, show)
    finally:
        progress.stop()


def declare_filters(parser: argparse.ArgumentParser) -> None:
    """Add --only and --exclude; `filters_of` reads them."""
    add = parser.add_argument
    add("--only", action="append", metavar="PATTERNS",
        help="these functions alone, see `pyusdt set --help`")  # fmt: skip
    add("--exclude", action="append", metavar="PATTERNS", help="all but these")


def declare_shown_lines(parser: argparse.ArgumentParser, what: str) -> None:
    """Add --lines, which shows `what`."""
    parser.add_argument(
        "--lines", nargs="?", const="", type=_function_or_file, metavar="FUNCTION|FILE", help=what
    )


def _function_or_file(text: str) -> str:
    if text.endswith(".pyusdt"):
        raise argparse.ArgumentTypeError(f"{text} is a recording: it goes before --lines")
    return text


def filters_of(verb: str, arguments: argparse.Namespace) -> tuple[str, str]:
    """What --only and --exclude ask for, each as one list of patterns. Raises UsageError."""
    try:
        return (
            patterns.text("--only", arguments.only),
            patterns.text("--exclude", arguments.exclude),
        )
    except ValueError as error:
        raise UsageError(f"{verb}: {error}") from None


def lines_of(verb: str, arguments: argparse.Namespace) -> str:
    """What --lines asks for, as one list of patterns. Raises UsageError."""
    try:
        return patterns.text("--lines", arguments.lines)
    except ValueError as error:
        raise UsageError(f"{verb}: {error}") from None


def count(text: str) -> int:
    """An argument that is a number of things, 1 or more."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"not a number from 1 on: {text}")
    return int(text)
