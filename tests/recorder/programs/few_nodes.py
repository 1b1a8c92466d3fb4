# SPDX-License-Identifier: Apache-2.0
"""few_nodes.py RECORDING: more calling contexts than may be kept, some of them recursive, in two
threads."""

import sys
import threading
import time

import pyusdt

exec("\n".join(f"def f{i}(): leaf()" for i in range(60)))


def leaf():
    end = time.perf_counter() + 0.0005
    while time.perf_counter() < end:
        pass


def descend(depth):
    globals()[f"f{depth % 60}"]()
    if depth:
        descend(depth - 1)


def work():
    for i in range(60):
        globals()[f"f{i}"]()
    descend(60)


with pyusdt.record(sys.argv[1], max_nodes=40):
    other = threading.Thread(target=work)
    other.start()
    work()
    other.join()
