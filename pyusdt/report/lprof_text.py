# SPDX-License-Identifier: Apache-2.0
"""Lines as `python -m line_profiler` prints them, for eyes and scripts that know its columns.

The format has no name for what it lacks: where the text of a file is not known, its figures stand
alone. A time is that of a line with all that it called, in microseconds.
"""

from collections.abc import Iterator
from typing import BinaryIO

from pyusdt.recording import Recording
from pyusdt.recording.lines import Line
from pyusdt.report.lines import LinedFunction, lined_functions
from pyusdt.report.options import Options
from pyusdt.report.text import printable

_NS = 1_000  # in the unit
_HEADING = ("Line #", "Hits", "Time", "Per Hit", "% Time")
_WIDTHS = (6, 9, 12, 8, 8)


def write(recording: Recording, out: BinaryIO, options: Options) -> None:
    """Write the functions, the hottest first."""
    functions = lined_functions(recording, options.lines or "", options.sort)
    out.write(b"Timer unit: 1e-06 s\n\n")
    for f in functions[: options.top]:
        lines = _function(f, measured=recording.times != "sampled")
        out.write("".join(f"{line}\n" for line in lines).encode())


def _function(f: LinedFunction, *, measured: bool) -> Iterator[str]:
    total = f"{f.total_ns / 1e9:g} s" if measured else "not measured (--times sampled)"
    yield f"Total time: {total}"
    yield f"File: {printable(f.record.file, None)}"
    name = f.record.qualname or f.record.name
    yield f"Function: {printable(name, None)} at line {f.record.line}"
    if f.source is None:
        yield ""
        yield "Could not find its text: none was recorded, and the file is not here."
    total_ns = f.total_ns if measured else None
    figures = {it.line: _figures(it, total_ns) for it in f.lines}
    columns = zip(*figures.values(), _HEADING[1:], strict=True)
    widths = [max(w, *map(len, column)) for w, column in zip(_WIDTHS[1:], columns, strict=True)]
    template = " ".join(f"{{:>{width}}}" for width in (_WIDTHS[0], *widths)) + "  {}"
    heading = template.format(*_HEADING, "Line Contents")
    yield ""
    yield heading
    yield "=" * len(heading)
    for n in f.numbers:
        yield template.format(n, *figures.get(n, [""] * len(widths)), _text(f.text(n)))
    yield ""


def _figures(it: Line, total_ns: int | None) -> tuple[str, str, str, str]:
    """Hits, time, time per hit, and its part; those that are too wide as powers of ten. Hits alone
    where no time was measured."""
    hits, time, per_hit = str(it.hits), f"{it.total_ns / _NS:5.1f}", ""
    hits = hits if len(hits) <= _WIDTHS[1] else f"{it.hits:g}"
    if total_ns is None:
        return hits, "", "", ""
    if it.hits:
        per_hit = f"{it.total_ns / _NS / it.hits:5.1f}"
        per_hit = per_hit if len(per_hit) <= _WIDTHS[3] else f"{it.total_ns / _NS / it.hits:5.3g}"
    return (
        hits,
        time if len(time) <= _WIDTHS[2] else f"{it.total_ns / _NS:5.3g}",
        per_hit,
        f"{100 * it.total_ns / total_ns:5.1f}" if total_ns else "",
    )


def _text(line: str) -> str:
    return "\t".join(printable(part, None) for part in line.split("\t"))
