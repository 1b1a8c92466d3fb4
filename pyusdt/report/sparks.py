# SPDX-License-Identifier: Apache-2.0
"""Small charts of one line of text."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf

_SPARKS = "▁▂▃▄▅▆▇█"


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
    most of its part, from 0 to the most of all."""
    if len(points) < 2 or points[-1][0] == points[0][0]:
        return ""
    begin, span = points[0][0], points[-1][0] - points[0][0]
    n_cells = min(width, len(points))
    cells: dict[int, int] = {}
    for at, value in points:
        cell = min((at - begin) * n_cells // span, n_cells - 1)
        cells[cell] = max(cells.get(cell, 0), value)
    values = [points[0][1]]
    for cell in range(n_cells):
        values.append(cells.get(cell, values[-1]))
    most = max(values) or 1
    heights = (min(len(_SPARKS) * value // most, len(_SPARKS) - 1) for value in values[1:])
    return "".join(_SPARKS[height] for height in heights)
