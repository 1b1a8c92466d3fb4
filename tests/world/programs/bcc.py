# SPDX-License-Identifier: Apache-2.0
"""bcc.py calls|collects N: until its first line of input it does what shows that the tool is
there, since the tools say that they trace before they have opened their buffers; then N times."""

import gc
import select
import sys
import time

import pyusdt

gc.disable()


def tick():
    pass


def work():
    pass


def end():
    pass


class Slow:
    def __init__(self):
        self.me = self

    def __del__(self):
        time.sleep(0.3)


def collect_slowly():
    Slow()
    gc.collect()


def until_input(do):
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        do()
    input()


print("ready", flush=True)
what, times = sys.argv[1:]
if what == "calls":
    until_input(tick)
    for _ in range(int(times)):
        work()
    end()
else:
    until_input(collect_slowly)
    for _ in range(int(times)):
        gc.collect()
    collect_slowly()
input()
