# SPDX-License-Identifier: Apache-2.0
"""`pyusdt status [-p PID]`: the processes that have pyusdt loaded, and what it does there."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pyusdt.commands.processes import process_id, settings_in_words
from pyusdt.errors import ExitCode, print_line
from pyusdt.harmless import printable
from pyusdt.library import library_path
from pyusdt.remote import proc
from pyusdt.remote.apart import LateError, within
from pyusdt.remote.control_layout import Sampler, Status
from pyusdt.remote.looks import Found, find_all, status_of
from pyusdt.report.text import number, plural

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_LIBRARY_SECONDS = 0.5


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments."""
    parser.description = (
        "Show what pyusdt does in the processes that have it loaded. It takes the permission to "
        "trace them: their own user's, or root's."
    )
    parser.add_argument(
        "-p", "--pid", type=process_id, metavar="PID", help="only this one, in detail"
    )
    parser.add_argument("--json", action="store_true", help="an array of objects, for programs")


def run(arguments: argparse.Namespace) -> ExitCode:
    """Show one process, or all."""
    if arguments.pid is None:
        found = find_all()
    else:
        found = Found({arguments.pid: status_of(arguments.pid)}, [], 0)
    if arguments.json:
        print(json.dumps([_described(p, s) for p, s in found.statuses.items()], indent=2))
    else:
        from pyusdt.report.console import console_on

        with console_on(sys.stdout.buffer) as console:
            if arguments.pid is not None:
                _print_details(console, arguments.pid, found.statuses[arguments.pid])
            elif found.statuses:
                console.print(_table(found.statuses, console.width))
            else:
                console.print("no process has pyusdt loaded")
    for problem in found.problems:
        print_line(problem)
    if found.hidden and not arguments.json:
        remedy = "that takes the capability SYS_PTRACE, which a container may lack"
        if os.geteuid() != 0:
            remedy = "run this as root to see them"
        print_line(
            f"{plural(found.hidden, 'process', 'processes')} of others cannot be looked "
            f"into: {remedy}"
        )
    return ExitCode.OK


def _described(pid: int, status: Status) -> dict[str, object]:
    """The status with the pid as it is seen from here, and the command."""
    return {**status, "pid": pid, "command": proc.command_of(pid)}


def _table(statuses: dict[int, Status], width: int) -> "Table":
    from pyusdt.report.columns import Column, Name, table

    columns = [Column("pid"), Column("python", 1), Column("tool", 3), Column("fired", 2),
               Column("lost", 2)]  # fmt: skip
    rows = []
    for pid, status in statuses.items():
        figures = (
            str(pid),
            status["python"],
            _tool(status),
            number(sum(status["probes_fired"].values())),
            number(sum(status["losses"].values())),
        )
        rows.append((figures, Name(printable(proc.command_of(pid)), below=_below(pid, status))))
    return table(columns, rows, "command", width)


def _below(pid: int, status: Status) -> "Text | None":
    from rich.text import Text

    lines = [
        Text.assemble((f"  {what:<8} ", "dim"), (names, "cyan"))
        for what, names in (*_library(pid), *_lines(status))
    ]
    return Text("\n").join(lines) if lines else None


def _lines(status: Status) -> Iterable[tuple[str, str]]:
    """What there is to say beside the figures."""
    if status["watcher"] == "stopped":
        yield "watcher", "stopped"
    if status["dormant"]:
        yield "dormant", status["dormant"]
    for what, names in (("watched", "probes_watched"), ("events", "events_on")):
        if status[names]:  # type: ignore[literal-required]
            yield what, " ".join(status[names])  # type: ignore[literal-required]
    if status["recorded"]:
        yield "recorded", _recorders(status)
    if status["sampler"]:
        yield "sampler", _sampler(status["sampler"])
    if status["only"]:
        yield "only", printable(status["only"])
    if status["exclude"]:
        yield "exclude", printable(status["exclude"])


def _library(pid: int) -> list[tuple[str, str]]:
    """That of a process which has not this one: of its probes, tracers of this one see nothing."""
    try:
        return within(_LIBRARY_SECONDS, lambda: list(_other_copies(pid)))
    except (LateError, OSError):
        return []  # it has ended, or holds us up


def _other_copies(pid: int) -> Iterator[tuple[str, str]]:
    for mapping in proc.mappings(pid, b"/libpyusdt."):
        path = proc.path_of(pid, mapping)
        if path is None or not os.path.samefile(path, library_path()):
            shown = printable(mapping.path, 1100)
            yield "library", f"{shown}, another copy than ours: trace it with -p {pid}"


def _recorders(status: Status) -> str:
    words = {"inside": "by the program itself", "outside": "by `pyusdt record`"}
    return ", ".join(words[client] for client in status["recorded"])


def _sampler(sampler: Sampler) -> str:
    every, share = sampler["interval_usec"] / 1e3, 100 * sampler["share"]
    threads = plural(sampler["threads"], "thread")
    return f"every {every:.1f} ms, {threads}, {share:.1f} % of a CPU"


def _tool(status: Status) -> str:
    return "" if status["tool_id"] is None else str(status["tool_id"])


def _print_details(console: "Console", pid: int, status: Status) -> None:
    from rich.text import Text

    def line(what: str, text: str) -> None:
        console.print(Text(f"  {what:<8} ", style="dim").append(text, style="default"))

    console.print(Text(f"{pid}  {printable(proc.command_of(pid))}", style="bold"))
    line("python", status["python"])
    for what, text in _library(pid):
        line(what, text)
    line("watcher", f"{status['watcher']}, looks every {status['check_msec']} ms")
    if status["dormant"]:
        line("dormant", status["dormant"])
    line("watched", " ".join(status["probes_watched"]) or "no probe")
    tool = f" (tool id {_tool(status)})" if status["events_on"] else ""
    line("events", (" ".join(status["events_on"]) or "none on") + tool)
    if status["recorded"]:
        line("recorded", _recorders(status))
    if status["sampler"]:
        line("sampler", _sampler(status["sampler"]))
    for what, text in settings_in_words(status):
        line(what, text)
    for name, count in status["probes_fired"].items():
        line("fired", f"{name} {number(count)}")
    for name, count in status["losses"].items():
        line("lost", f"{name} {number(count)}")
