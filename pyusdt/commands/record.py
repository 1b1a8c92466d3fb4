# SPDX-License-Identifier: Apache-2.0
"""`pyusdt record -p PID -d SECONDS -o FILE`: record a running process for a while."""

import argparse
import contextlib
import gc
import math
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator

from pyusdt.commands.common import count, declare_filters, filters_of
from pyusdt.commands.processes import process_id
from pyusdt.errors import ExitCode, UserError
from pyusdt.remote import proc
from pyusdt.remote.recording import Options, Outside, replacing

_TICK_SECONDS = 0.1


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments."""
    parser.description = (
        "Record a running process that has pyusdt loaded: which functions were called, how often "
        "and for how long. Ctrl-C ends the recording, not the process. It takes the permission to "
        "trace the process: its own user's, or root's."
    )
    defaults = Options()
    add = parser.add_argument
    add("-p", "--pid", type=process_id, required=True, metavar="PID", help="the process")
    add("-d", "--duration", type=_seconds, metavar="SECONDS", help="how long (default: till ^C)")
    add("-o", "--output", required=True, metavar="FILE", help="the recording")
    declare_filters(parser)
    add("--c-calls", action="store_true", help="the calls of C functions too")
    add("--max-nodes", type=count, default=defaults.max_nodes, metavar="N",
        help=f"memory for so many calling contexts (default: {defaults.max_nodes})")  # fmt: skip


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"not a number of seconds above 0: '{text}'")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Record until the time is over or Ctrl-C is pressed, then write."""
    gc.disable()  # it would look for circles in millions of rows, which have none
    path, pid = arguments.output, arguments.pid
    only, exclude = filters_of("record", arguments)
    options = Options(only, exclude, arguments.c_calls, arguments.max_nodes)
    lost: UserError | None = None
    with replacing(path) as write, _stopping() as stop, Outside(pid, options) as outside:
        begin = time.monotonic()
        try:
            with _progress(pid, arguments.duration) as show:
                _wait(outside, stop, arguments.duration, show)
            outside.stop()
        except UserError as error:
            lost = error
        write(outside.row, None if lost else "end", outside.snapshot())
        seconds = outside.updated - begin
    if lost is not None:
        why = lost if proc.exists(pid) else f"process {pid} has ended"
        raise UserError(f"{why}; {path} has what was recorded in {max(seconds, 0):.1f} seconds")
    print(f"{path}: recorded; to look into it: pyusdt report {shlex.quote(path)}")
    return ExitCode.OK


def _wait(
    outside: Outside, stop: list[int], duration: float | None, show: Callable[[float], None]
) -> None:
    """Until it is time. Raises UserError when the process is not there any more."""
    begin = time.monotonic()
    end = math.inf if duration is None else begin + duration
    while (now := time.monotonic()) < end and not stop:
        if now >= outside.updated + outside.pause:
            outside.update()
        show(now - begin)
        time.sleep(min(end - now, _TICK_SECONDS))


@contextlib.contextmanager
def _stopping() -> Iterator[list[int]]:
    """The signals that came in the block: Ctrl-C, or whatever else would end us, however often.

    Not a threading.Event: a handler that finds us inside its wait() would wait for its lock for
    ever.
    """
    stop: list[int] = []
    before = {
        number: signal.signal(number, lambda caught, _: stop.append(caught))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _progress(pid: int, duration: float | None) -> Iterator[Callable[[float], None]]:
    """What shows how many seconds have passed, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        ending = "" if duration else ", Ctrl-C ends it"
        task = progress.add_task(f"recording process {pid}{ending}", total=duration)
        yield lambda seconds: progress.update(task, completed=seconds)
