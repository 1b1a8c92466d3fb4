# SPDX-License-Identifier: Apache-2.0
"""From what the core has counted of lines, to what one recording is to hold of them."""

from collections.abc import Callable, Iterable, Mapping

from pyusdt.recording.counts import Counts
from pyusdt.recording.snapshot import LineRow

_NONE = 0, 0, 0, 0


def summed(
    settled: Iterable[LineRow],
    now: Counts,
    before: Counts,
    thread_of: Mapping[int, int],
    is_wanted: Callable[[int], bool],
) -> list[LineRow]:
    """The rows of a recording that has `settled` and what was counted since `before`, of threads by
    their serials and wanted functions."""
    sums = {row.key: row.figures for row in settled}
    earlier = {row.key: row.ticks for row in before.lines}
    rate = now.ns_per_tick
    for row in now.lines:
        thread = thread_of.get(row.serial)
        if thread is None or not is_wanted(row.function):
            continue
        hits, errors, total, own = (
            max(n - was, 0) for n, was in zip(row.ticks, earlier.get(row.key, _NONE), strict=True)
        )
        figures = hits, errors, round(total * rate), round(own * rate)
        if any(figures):
            key = thread, row.function, row.line
            known = sums.get(key, _NONE)
            sums[key] = (
                known[0] + hits, known[1] + errors, known[2] + figures[2], known[3] + figures[3]
            )  # fmt: skip
    return [LineRow(*key, *figures) for key, figures in sums.items()]
