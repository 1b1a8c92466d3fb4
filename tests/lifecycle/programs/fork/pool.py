# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import os


def square(n):
    return n * n


def fail():
    raise SystemExit(4)


if __name__ == "__main__":
    context = multiprocessing.get_context(os.environ["METHOD"])
    with context.Pool(3) as pool:
        print(pool.map(square, range(10)))
    child = context.Process(target=fail)
    child.start()
    child.join()
    print(child.exitcode)
