# SPDX-License-Identifier: Apache-2.0
"""Histograms of nanoseconds: a bucket for each quarter of a power of two, 252 of them for 64 bits.

    bucket(ns) = ns                                       for ns < 4
               = 4 * (e - 1) + ((ns >> (e - 2)) & 3)      with e = floor(log2(ns)), for ns >= 4

So the buckets begin at 0 1 2 3 4 5 6 7 8 10 12 14 16 20 24 28 32 40 ... and a value read back from
the middle of its bucket is at most 12.5 % off. The recorder in C uses the same formula.
"""

from collections.abc import Mapping

BUCKETS = 252


def bucket_of(ns: int) -> int:
    """The bucket that counts a duration of `ns` nanoseconds."""
    if ns < 4:
        return max(ns, 0)
    exponent = ns.bit_length() - 1
    return min(4 * (exponent - 1) + ((ns >> (exponent - 2)) & 3), BUCKETS - 1)


def bucket_range(bucket: int) -> tuple[int, int]:
    """The durations in a bucket, in ns: from the first, up to but without the second."""
    if bucket < 4:
        return bucket, bucket + 1
    shift = bucket // 4 - 1
    low = (4 + bucket % 4) << shift
    return low, low + (1 << shift)


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The duration in ns below which `share` (0..1) of the counted calls lie; None if none are.

    Calls are taken as spread evenly within a bucket.
    """
    rank = share * sum(counts.values())
    if not counts or rank < 0:
        return None
    below = 0
    value = 0
    for bucket in sorted(counts):
        low, high = bucket_range(bucket)
        inside = counts[bucket]
        if inside and below + inside >= rank:
            return low + int((high - 1 - low) * (rank - below) / inside)
        below += inside
        value = high - 1
    return value
