# SPDX-License-Identifier: Apache-2.0
import sys

depths = []


def down(n):
    try:
        return down(n + 1)
    except RecursionError:
        depths.append(n)
        raise
    finally:
        [].append(n)


for limit in (100, 500, 3000):
    sys.setrecursionlimit(limit)
    depths.clear()
    try:
        down(0)
    except RecursionError:
        print(limit, depths[0], len(depths))
