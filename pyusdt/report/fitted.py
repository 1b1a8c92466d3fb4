# SPDX-License-Identifier: Apache-2.0
"""A line of figures, in as many lines as it needs."""

from collections.abc import Sequence

from rich.text import Text

GAP = "  "


def fitted(parts: Sequence[str], width: int) -> Text:
    """The parts, none of them broken; the first is the sum."""
    line = Text(parts[0], "bold")
    used = len(parts[0])
    for part in parts[1:]:
        fits = used + len(GAP) + len(part) <= width
        line.append((GAP if fits else "\n" + GAP) + part, "not bold dim")
        used = len(GAP) + len(part) + used * fits
    return line
