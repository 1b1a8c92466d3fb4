# SPDX-License-Identifier: Apache-2.0
"""Small charts of one line of text."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf

_SPARKS = "▁▂▃▄▅▆▇█"
_LEAST_SPAN = 0.1  # of the most, that a chart over time spans


def sparks(numbers: Sequence[float], width: int = 24) -> str:
    """A series in `width` characters at most, each the mean of its part, from the least to the
    most."""
    if len(numbers) < 2:
        return ""
    cells = min(width, len(numbers))
    edges = [len(numbers) * i // cells for i in range(cells + 1)]
    means = [sum(numbers[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    span = high - low
    if not 0 < span < inf:
        return _SPARKS[0] * cells
    return "".join(_SPARKS[round((mean - low) / span * (len(_SPARKS) - 1))] for mean in means)


def over_time(points: Sequence[tuple[int, int]], width: int) -> str:
    """Values at moments, in their order, in `width` characters for as long as they lasted, each the
    most of its part, from the least to the most; what differs by little looks so."""
    if len(points) < 2 or points[-1][0] == points[0][0]:
        return ""
    begin, span = points[0][0], points[-1][0] - points[0][0]
    n_cells = min(width, len(points))
    cells: dict[int, int] = {}
    for at, value in points:
        cell = min((at - begin) * n_cells // span, n_cells - 1)
        cells[cell] = max(cells.get(cell, 0), value)
    values = [cells[0]]
    for cell in range(1, n_cells):
        values.append(cells.get(cell, values[-1]))
    most = max(values)
    low = min(*values, most * (1 - _LEAST_SPAN))
    step = (most - low) / (len(_SPARKS) - 1) or 1
    return "".join(_SPARKS[round((value - low) / step)] for value in values)
