# SPDX-License-Identifier: Apache-2.0
"""What is alive at the end of a recording, by calling context and line, the most first."""

from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from pyusdt.recording import Recording
from pyusdt.recording.held import NATIVE, OUTSIDE
from pyusdt.recording.memory import MemoryFigures, total
from pyusdt.recording.tree import paths
from pyusdt.report.amounts import ELSEWHERE, Amounts, elsewhere
from pyusdt.report.cells import BESIDE, Names
from pyusdt.report.columns import Column, Name, Row, table
from pyusdt.report.lines import Texts
from pyusdt.report.place import roots, short_path
from pyusdt.report.text import plural, printable

_COLUMNS = (Column("live"), Column("of live", 3), Column("blocks", 1), Column("allocated", 2))
_CALLERS = 20  # that are shown of a context
_LONGEST = 200  # characters of a line


class Leak(NamedTuple):
    """What a context has left: the figures of all that it has allocated at a line."""

    path: tuple[int, ...]
    """Functions, callers first; the only one may be held.OUTSIDE or held.NATIVE."""
    line: int
    """Of the last function, or, where that is in C, of what called it; 0: not known."""
    figures: MemoryFigures


def leaks(recording: Recording, top: int | None = None) -> tuple[list[Leak], int]:
    """Those with the most alive, `top` or all, and how many there are at all."""
    tree = recording.tree
    found: list[tuple[int, int, int]] = []  # live bytes, number of the context, line
    for number, (node, entering) in enumerate(paths(tree)):
        for line, figures in (node.held or {}).items() if entering else ():
            if figures.live_blocks > 0:
                found.append((-figures.live_bytes, number, line))
    chosen: dict[int, list[int]] = {}
    for _, number, line in sorted(found)[:top]:
        chosen.setdefault(number, []).append(line)
    kept: list[Leak] = []
    path: list[int] = []
    for number, (node, entering) in enumerate(paths(tree)):
        if not entering:
            path.pop()
            continue
        path.append(node.function)
        held = node.held or {}
        kept += [Leak(tuple(path), line, held[line]) for line in chosen.get(number, ())]
    without = [Leak((OUTSIDE,), 0, tree.memory)] if tree.memory else []
    if native := recording.memory_by_function.get(NATIVE):
        without.append(Leak((NATIVE,), 0, native))
    without = [it for it in without if it.figures.live_blocks > 0]
    kept = sorted([*kept, *without], key=lambda it: -it.figures.live_bytes)
    return kept[:top], len(found) + len(without)


def print_leaks(console: Console, recording: Recording, top: int | None) -> None:
    """Print them, or that there are none."""
    found, n = leaks(recording, top)
    if not found:
        what = "no sample of what" if Amounts(recording).sampled else "nothing that"
        console.print(f"{what} was allocated is alive at the end")
        return
    amounts, drawn = Amounts(recording), _Drawn(recording)
    whole = total(row.figures for row in recording.memory).live_bytes
    rows: list[Row] = []
    for it in found:
        figures = it.figures
        cells = (
            amounts.bytes(figures.live_bytes),
            amounts.share(figures.live_bytes, whole),
            amounts.blocks(figures.live_blocks, figures.live_bytes),
            amounts.bytes(figures.allocated_bytes),
        )
        rows.append((cells, drawn.name(it)))
    console.print(table(_COLUMNS, rows, "allocated by ← called by", console.width, BESIDE))
    if n > len(found):
        console.print(Text(f"{plural(n - len(found), 'more context')}: --top {n}", "dim"))
    if not recording.lines:
        console.print(Text("lines are known where they were recorded: --lines PATTERNS", "dim"))


class _Drawn:
    """How contexts look."""

    def __init__(self, recording: Recording) -> None:
        self._records = recording.records
        self._names = Names(recording)
        self._texts = Texts(recording)
        self._below = roots(recording)

    def name(self, leak: Leak) -> Name:
        if leak.path[-1] in ELSEWHERE:
            return elsewhere(leak.path[-1])
        name = self._names.of(leak.path[-1])
        below = Text("\n").join(self._context(leak))
        return Name(name.text, name.beside, below=below if below.plain else None)

    def _context(self, leak: Leak) -> Iterator[Text]:
        """The line and its text, then the callers."""
        at = self._line_owner(leak)
        if leak.line and at is not None:
            record = self._records[at]
            where = f"{short_path(record, self._below)}:{leak.line}"
            text = self._texts.line(record.file, leak.line).strip()[:_LONGEST]
            yield Text(f"  {where}", "dim").append(f"  {printable(text, None)}", "not dim")
        callers = leak.path[-2::-1]
        for index in callers[:_CALLERS]:
            name = self._names.of(index)
            line = Text(f"← {name.text}")
            for text, style in name.beside:
                line.append(f"  {text}" if text else "", style)
            yield line
        if len(callers) > _CALLERS:
            yield Text(f"← … {plural(len(callers) - _CALLERS, 'more caller')}", "dim")

    def _line_owner(self, leak: Leak) -> int | None:
        """The function whose the line is."""
        if not self._records[leak.path[-1]].is_c:
            return leak.path[-1]
        return leak.path[-2] if len(leak.path) > 1 else None
