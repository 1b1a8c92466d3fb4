# SPDX-License-Identifier: Apache-2.0
"""What becomes of the data that a tool of the collection prints."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from pyusdt.errors import UserError, nearest, print_line
from pyusdt.report.text import plural
from pyusdt.tracing import show
from pyusdt.tracing.answer import Maps, parsed, rows
from pyusdt.tracing.bpftrace import Data
from pyusdt.tracing.derive import derived
from pyusdt.tracing.live import Lines, print_notice
from pyusdt.tracing.scripts import Script
from pyusdt.tracing.tools import TOOLS

_NOTICE = "Ctrl-C ends.\n"


class Output:
    """Shows a live tool's lines as they come, and the tables of another at its end."""

    def __init__(
        self, script: Script, parameters: list[str], *, as_json: bool, everything: bool
    ) -> None:
        self.maps = Maps()
        self._part = dict(zip(script.parameter_names, parameters, strict=False)).get("PART")
        self._name = script.name
        self._tool = TOOLS[script.name]
        self._as_json = as_json
        self._everything = everything
        if self._tool.tables and not as_json and find_spec("rich") is None:
            raise UserError("tables need rich: python -m pip install rich, or use -f json or --raw")
        live = self._tool.live
        self._lines = Lines(live, as_json=as_json, everything=everything) if live else None
        self._lost = 0
        self._unreadable = 0
        self.data = Data(derived(script.source, names=self._tool.names), self.take)

    def take(self, line: bytes) -> None:
        """Take a line of bpftrace's."""
        if not line.strip():
            return
        item = parsed(line)
        if item is None:
            self._unreadable += 1
        else:
            self._take(item.get("type"), item.get("data"))

    def _take(self, kind: object, data: Any) -> None:
        if kind == "printf" and isinstance(data, str):
            if data.endswith(_NOTICE):
                print_notice(data, aside=self._as_json)
            elif self._lines:
                self._lines.add(data)
        elif kind in ("map", "stats", "hist") and isinstance(data, dict):
            self.maps.add(data)
        elif kind == "lost_events" and isinstance(data, dict):
            self._lost += int(data.get("events", 0))

    def finish(self, seconds: float) -> None:
        """Show what was counted in these seconds."""
        if self._lines and self._tool.live and self._tool.live.counted:
            self.maps.add({self._tool.live.counted: self._lines.counted})
        if self._tool.tables:
            answer = show.Answer(self._name, self._tool, self.maps, seconds)
            if self._as_json:
                print(show.as_json(answer))
            else:
                show.print_tables(answer, everything=self._everything)
        sys.stdout.flush()
        for problem in self._problems():
            print_line(problem)

    def _problems(self) -> Iterator[str]:
        if self._lines and self._lines.left_out:
            what = plural(self._lines.left_out, "line")
            yield f"{what} left out, callers and waits of Python's machinery among them: --all"
        if self._lost:
            yield f"{plural(self._lost, 'line')} lost: too many at once"
        if self._unreadable:
            yield f"{plural(self._unreadable, 'line')} of bpftrace could not be read"
        if self._part:
            known = [f for found in self.maps.functions().values() for f in found]
            words = {word for f in known for word in (f.qualname, f.module)}
            if not self._has_rows() and not any(self._part in word for word in words):
                words |= {word.rpartition(".")[2] for word in words}
                hint = nearest(self._part, words) or f", of {len(known):,} that ran"
                yield f"no function's or module's name contains '{self._part}'{hint}"

    def _has_rows(self) -> bool:
        return any(rows(table, self._tool, self.maps) for table in self._tool.tables)
