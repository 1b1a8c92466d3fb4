# SPDX-License-Identifier: Apache-2.0
"""Which lines of two texts are the same."""

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

_MOST_MATCHED = 1_000  # lines
_COMMON = 20  # what is there more often, such as a lone bracket, is the same only beside what is


def same_lines(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """The places of lines that are the same, in order: those that both texts begin and end with
    and, where there are not too many between these, those that are in both in the same order."""
    most = min(len(before), len(after))
    head = next((i for i in range(most) if before[i] != after[i]), most)
    most -= head
    tail = next((i for i in range(most) if before[-1 - i] != after[-1 - i]), most)
    ends = len(before) - tail, len(after) - tail
    pairs = [(i, i) for i in range(head)]
    pairs += [(head + a, head + b) for a, b in _same(before[head : ends[0]], after[head : ends[1]])]
    return pairs + [(ends[0] + i, ends[1] + i) for i in range(tail)]


def _same(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    if max(len(before), len(after)) > _MOST_MATCHED:
        return []
    counts = Counter(after)
    matcher = SequenceMatcher(lambda it: counts[it] > _COMMON, before, after, autojunk=False)
    blocks = matcher.get_matching_blocks()
    return [(a + i, b + i) for a, b, size in blocks for i in range(size)]
