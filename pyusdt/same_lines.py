# SPDX-License-Identifier: Apache-2.0
"""Which lines of two texts are the same."""

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

_MOST_MATCHED = 1_000  # lines
_MOST = 50_000  # of all texts together
_COMMON = 8  # what is there more often, such as a lone bracket, is the same only beside what is


class SameLines:
    """Finds them in any number of texts, with work that has a limit."""

    def __init__(self) -> None:
        self._left = _MOST

    def pairs(self, before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
        """The places of lines that are the same, in order: those that both texts begin and end with
        and, where there are not too many between these, those that are in both in the same
        order."""
        most = min(len(before), len(after))
        head = next((i for i in range(most) if before[i] != after[i]), most)
        most -= head
        tail = next((i for i in range(most) if before[-1 - i] != after[-1 - i]), most)
        ends = len(before) - tail, len(after) - tail
        middle = self._middle(before[head : ends[0]], after[head : ends[1]])
        return [
            *((i, i) for i in range(head)),
            *((head + a, head + b) for a, b in middle),
            *((ends[0] + i, ends[1] + i) for i in range(tail)),
        ]

    def _middle(self, before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
        longest = max(len(before), len(after))
        if longest > min(_MOST_MATCHED, self._left):
            return []
        self._left -= longest
        counts = Counter(after)
        matcher = SequenceMatcher(lambda it: counts[it] > _COMMON, before, after, autojunk=False)
        blocks = matcher.get_matching_blocks()
        return [(a + i, b + i) for a, b, size in blocks for i in range(size)]
