# SPDX-License-Identifier: Apache-2.0
"""`pyusdt status [-p PID]`: the processes that have pyusdt loaded, and what it does there."""

import argparse
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyusdt.commands.processes import process_id, settings_in_words
from pyusdt.errors import ExitCode
from pyusdt.remote.attached import Found, Process, find_all
from pyusdt.remote.control_layout import Status
from pyusdt.remote.proc import command_of
from pyusdt.report.text import number, plural, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


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
        with Process(arguments.pid) as process:
            found = Found({arguments.pid: process.status()}, [], 0)
    if arguments.json:
        print(json.dumps([_described(p, s) for p, s in found.statuses.items()], indent=2))
    else:
        from pyusdt.report.console import console_on

        with console_on(sys.stdout.buffer) as console:
            if arguments.pid is not None:
                _print_details(console, arguments.pid, found.statuses[arguments.pid])
            elif found.statuses:
                console.print(_table(found.statuses))
            else:
                console.print("no process has pyusdt loaded")
    for problem in found.problems:
        print(f"pyusdt: {problem}", file=sys.stderr)
    if found.hidden and not arguments.json:
        print(
            f"pyusdt: {plural(found.hidden, 'process', 'processes')} of others cannot be looked "
            "into: run this as root to see them",
            file=sys.stderr,
        )
    return ExitCode.OK


def _described(pid: int, status: Status) -> dict[str, object]:
    """The status with the pid as it is seen from here, and the command."""
    return {**status, "pid": pid, "command": command_of(pid)}


def _table(statuses: dict[int, Status]) -> "Table":
    from rich.text import Text

    from pyusdt.report.console import new_table

    table = new_table("pid", "python", "tool", "fired", "lost", last="command")
    for pid, status in statuses.items():
        text = Text(printable(command_of(pid)), style="bold")
        for what, names in _lines(status):
            text.append(f"\n  {what:<8} ", style="dim")
            text.append(names, style="cyan")
        table.add_row(
            str(pid),
            status["python"],
            _tool(status),
            number(sum(status["probes_fired"].values())),
            number(sum(status["losses"].values())),
            text,
        )
    return table


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
    if status["only"]:
        yield "only", printable(status["only"])
    if status["exclude"]:
        yield "exclude", printable(status["exclude"])


def _recorders(status: Status) -> str:
    words = {"inside": "by the program itself", "outside": "by `pyusdt record`"}
    return ", ".join(words[client] for client in status["recorded"])


def _tool(status: Status) -> str:
    return "" if status["tool_id"] is None else str(status["tool_id"])


def _print_details(console: "Console", pid: int, status: Status) -> None:
    from rich.text import Text

    def line(what: str, text: str) -> None:
        console.print(Text(f"  {what:<8} ", style="dim").append(text, style="default"))

    console.print(Text(f"{pid}  {printable(command_of(pid))}", style="bold"))
    line("python", status["python"])
    line("watcher", f"{status['watcher']}, looks every {status['check_msec']} ms")
    if status["dormant"]:
        line("dormant", status["dormant"])
    line("watched", " ".join(status["probes_watched"]) or "no probe")
    tool = f" (tool id {_tool(status)})" if status["events_on"] else ""
    line("events", (" ".join(status["events_on"]) or "none on") + tool)
    if status["recorded"]:
        line("recorded", _recorders(status))
    for what, text in settings_in_words(status):
        line(what, text)
    for name, count in status["probes_fired"].items():
        line("fired", f"{name} {number(count)}")
    for name, count in status["losses"].items():
        line("lost", f"{name} {number(count)}")
