# SPDX-License-Identifier: Apache-2.0
"""Keeps so many blocks as it is asked for, and has a large one for a moment. It prints how many
bytes it keeps."""

import sys

kept: list[bytes] = []


def leak(n: int) -> None:
    for _ in range(n):
        kept.append(bytes(1000))


def temporary() -> int:
    return len(bytearray(50_000_000))


def main(n: int) -> None:
    leak(n)
    temporary()


main(int(sys.argv[1]))
print(sum(map(sys.getsizeof, kept)) + sys.getsizeof(kept) - sys.getsizeof([]))
