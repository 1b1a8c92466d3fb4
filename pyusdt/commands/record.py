# SPDX-License-Identifier: Apache-2.0
"""`pyusdt record -p PID -d SECONDS -o FILE`: record a running process for a while."""

import argparse
import contextlib
import gc
import math
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

from pyusdt import files, unmatched
from pyusdt.commands.common import count, declare_filters, filters_of, lines_of
from pyusdt.commands.processes import process_id
from pyusdt.errors import ExitCode, UserError, print_line
from pyusdt.launch import kernel_account
from pyusdt.launch.kernel_account import Keeper
from pyusdt.memory import KINDS
from pyusdt.recording.kernel_file import OfProcess, parse
from pyusdt.remote import proc
from pyusdt.remote.control_layout import TIMES
from pyusdt.remote.family import Family
from pyusdt.remote.recording import Options, Recorded, replacing

_TICK_SECONDS = 0.05
_STARTING_SECONDS = 0.2  # the process may record already, and we not know it yet
_ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
_SHOW_CURSOR = "\x1b[?25h"  # which the progress bar has hidden


class _Stop:
    """Signals that would end us. The first one that comes while something is recorded has it
    written; any other one ends us at once.

    A thread of its own waits for them: the process may hold up the one that reads its memory.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self.recording = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """From here on, they do what they always do."""
        self._is_over = True
        signal.pthread_kill(self._thread.ident or 0, signal.SIGHUP)
        self._thread.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def _watch(self) -> None:
        while True:
            caught = signal.sigwait(_ENDING)
            if self._is_over:
                return
            if self.is_asked or not self.recording.wait(_STARTING_SECONDS):
                files.abandon()
                if sys.stderr.isatty():
                    print(_SHOW_CURSOR, file=sys.stderr, flush=True)
                os._exit(128 + caught)
            self.is_asked = True


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments."""
    parser.description = (
        "Record a running process that has pyusdt loaded: which functions were called, how often "
        "and for how long; and the processes below it that have it loaded too, also those that "
        "begin meanwhile. Ctrl-C ends the recording, not the process. It takes the permission to "
        "trace the process: its own user's, or root's."
    )
    defaults = Options()
    add = parser.add_argument
    add("-p", "--pid", type=process_id, required=True, metavar="PID", help="the process")
    add("-d", "--duration", type=_seconds, metavar="SECONDS", help="how long (default: till ^C)")
    add("-o", "--output", required=True, metavar="FILE", help="the recording")
    declare_filters(parser)
    add("--lines", action="append", metavar="PATTERNS",
        help="the lines of these functions too: '*' has all but those of what is installed, 'all' "
             "all")  # fmt: skip
    add("--memory", nargs="?", choices=tuple(filter(None, KINDS)), const="all", default="",
        help="what each function allocates too, and what of it is alive: all (the default), what "
             "Python's allocators hand out, or what samples of all stand for")  # fmt: skip
    add("--c-calls", action="store_true", help="the calls of C functions too")
    add("--times", choices=TIMES, default="exact",
        help="exact: of each call (the default); sampled: calls are counted without a clock, which "
             "costs less, and times are what a sampler finds")  # fmt: skip
    add("--kernel", action="store_true", help="the kernel's account too (root, bpftrace)")
    add("--no-children", dest="children", action="store_false",
        help="not the processes below it")  # fmt: skip
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
    files.refuse_report(path)
    only, exclude = filters_of("record", arguments)
    options = Options(
        only,
        exclude,
        arguments.c_calls,
        max_nodes=arguments.max_nodes,
        times=arguments.times,
        lines=lines_of("record", arguments),
        memory=KINDS[arguments.memory],
    )
    lost: UserError | None = None
    with (
        _Stop() as stop,
        replacing(path) as write,
        _Kernel(arguments) as kernel,
        Family(pid, options, children=arguments.children) as family,
    ):
        stop.recording.set()
        kernel.follow(pid)
        begin = time.monotonic()
        try:
            with _progress(pid, arguments.duration) as show:
                _wait(family, stop, arguments.duration, show)
            family.root.stop()
        except UserError as error:
            lost = error
        kernel.end()
        family.stop_children()
        accounts = kernel.accounts()
        first = family.root.recorded(None if lost else "end", accounts)
        recorded = [first, *family.recorded(accounts)]
        write(recorded)
        seconds = family.root.updated - begin
        notes = list(family.notes())
    for note in (*notes, *_unmatched(only, options.lines, recorded)):
        print_line(note)
    if lost is not None:
        why = lost if proc.exists(pid) else f"process {pid} has ended"
        raise UserError(f"{why}; {path} has what was recorded in {max(seconds, 0):.1f} seconds")
    print(f"{path}: recorded; to look into it: pyusdt report {shlex.quote(path)}")
    return ExitCode.OK


class _Kernel:
    """The kernel's account, if it is wanted and there can be one. Use it in a `with`."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._keeper: Keeper | None = None
        self._arguments = arguments

    def __enter__(self) -> Self:
        """Begin it. Where there can be none, a line says why."""
        pid, children = self._arguments.pid, self._arguments.children
        if self._arguments.kernel:
            pids = (pid, *(proc.below(pid) if children else ()))
            try:
                self._keeper = kernel_account.begin(pids=pids, children=children)
            except UserError as error:
                print_line(f"{error}; all else is recorded")
        return self

    def __exit__(self, *_: object) -> None:
        """Have it end."""
        self.end()

    def follow(self, pid: int) -> None:
        """Count from here on."""
        if self._keeper:
            self._keeper.follow(pid)

    def end(self) -> None:
        """Count no more."""
        if self._keeper:
            self._keeper.end()

    def accounts(self) -> dict[int, OfProcess]:
        """Those of the processes, by pid."""
        found = parse(self._keeper.lines()) if self._keeper else {}
        if self._keeper and not found:
            print_line("the kernel's account is lost: what kept it has ended, or hangs")
        return found


def _unmatched(only: str, lines: str, recorded: list[Recorded]) -> Iterator[str]:
    """A note for each pattern that matched nothing. Of other functions nothing is known, but every
    program has a `__main__`."""
    functions = {(f.module, f.qualname) for it in recorded for f in it.snapshot.functions}
    for option, wanted in (("--only", only), ("--lines", lines)):
        yield from unmatched.messages(option, wanted, functions, ["__main__"])


def _wait(
    family: Family, stop: _Stop, duration: float | None, show: Callable[[float], None]
) -> None:
    """Until it is time. Raises UserError when the process is not there any more."""
    begin = time.monotonic()
    end = math.inf if duration is None else begin + duration
    outside = family.root
    while (now := time.monotonic()) < end and not stop.is_asked:
        if now >= outside.updated + outside.pause:
            outside.update()
        family.look()
        show(now - begin)
        time.sleep(min(end - now, _TICK_SECONDS))


@contextlib.contextmanager
def _progress(pid: int, duration: float | None) -> Iterator[Callable[[float], None]]:
    """What shows how many seconds have passed, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from pyusdt.report.console import colours

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    console = Console(stderr=True, color_system=colours())
    with Progress(*columns, console=console, transient=True) as progress:
        ending = "" if duration else ", Ctrl-C ends it"
        task = progress.add_task(f"recording process {pid}{ending}", total=duration)
        yield lambda seconds: progress.update(task, completed=seconds)
