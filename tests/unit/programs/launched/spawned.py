# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import os
import sys


class Point:
    def __init__(self, x):
        self.x = x


def move(point):
    return Point(point.x + 1)


def show(point):
    print("child", __name__, point.x, os.path.basename(sys.argv[0]), flush=True)


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        print(pool.map(move, [Point(1)])[0].x)
    child = context.Process(target=show, args=(Point(5),))
    child.start()
    child.join()
    print(child.exitcode)
