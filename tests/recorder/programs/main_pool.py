# SPDX-License-Identifier: Apache-2.0
"""A script whose own function the workers run: `main_pool.py METHOD`."""

import multiprocessing
import sys


def work(n: int) -> int:
    return sum(range(n))


if __name__ == "__main__":
    for _ in range(3):
        work(10)
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        pool.map(work, [1000] * 20)
        pool.close()
        pool.join()
