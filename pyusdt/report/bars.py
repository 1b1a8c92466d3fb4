# SPDX-License-Identifier: Apache-2.0
"""Bars: a share, or what a time is made of, CPU and the classes of wait.

Each class of wait has a letter, so that a bar can be read without colours.
"""

from collections.abc import Iterable, Mapping

from rich.text import Text

from pyusdt.recording.charges import WAITS

CELLS = 8
_CPU = "█"
_STYLES = {
    "cpu": "green",
    "gil": "red",
    "lock": "magenta",
    "sleep": "dim",
    "poll": "dim",
    "net": "blue",
    "disk": "yellow",
    "child": "cyan",
    "runnable": "bright_red",
    "other": "dim",
}
_KINDS = ("cpu", *WAITS)


def share_bar(part: int, whole: int) -> Text:
    """As long as `part` is of `whole`."""
    eighths = round(8 * CELLS * part / whole) if whole > 0 else 0
    bar = "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]
    return Text(bar[:CELLS].strip(), style="cyan")


def made_of(cpu_ns: int, waits: Mapping[str, int]) -> Text:
    """A bar of full length, or none where all is 0, in which each kind has its share of cells."""
    bar = Text()
    for kind, cells in _apportioned({"cpu": cpu_ns, **waits}).items():
        bar.append(_sign(kind) * cells, _STYLES[kind])
    return bar


def legend(kinds: Iterable[str], width: int) -> Text:
    """What the signs of those kinds mean, in as few lines as fit."""
    there = set(kinds)
    line = Text()
    used = 0
    for kind in (kind for kind in _KINDS if kind in there):
        cells = len(kind) + 2
        gap = "" if not used else "  " if used + 2 + cells <= width else "\n"
        line.append(gap).append(_sign(kind), _STYLES[kind]).append(f" {kind}", "dim")
        used = cells + (used + 2 if gap == "  " else 0)
    return line


def kinds_of(cpu_ns: int, waits: Mapping[str, int]) -> set[str]:
    """The kinds that have a cell in their bar."""
    return {kind for kind, n in _apportioned({"cpu": cpu_ns, **waits}).items() if n}


def _sign(kind: str) -> str:
    return _CPU if kind == "cpu" else kind[0]


def _apportioned(figures: Mapping[str, int]) -> dict[str, int]:
    """Cells by largest remainder, so that they fill the bar."""
    whole = sum(figures.get(kind, 0) for kind in _KINDS)
    if whole <= 0:
        return {}
    exact = {kind: CELLS * figures.get(kind, 0) / whole for kind in _KINDS}
    cells = {kind: int(value) for kind, value in exact.items()}
    left = CELLS - sum(cells.values())
    for kind in sorted(_KINDS, key=lambda kind: cells[kind] - exact[kind])[:left]:
        cells[kind] += 1
    return cells
