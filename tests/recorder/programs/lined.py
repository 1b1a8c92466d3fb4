# SPDX-License-Identifier: Apache-2.0
import sys
import time

from pyusdt import libpyusdt


def work(seconds, times):
    end = time.thread_time() + seconds
    # Rarely: a thread loses its CPU mostly where it reads its clock, and is found there then.
    while time.thread_time() < end:
        sum(range(4_000_000))  # burn
    time.sleep(seconds)  # nap
    for i in range(times):
        abs(i)  # loop
    print("ready", flush=True)
    sys.stdin.read()  # wait


libpyusdt.lines_mark(work.__code__, globals())
work(float(sys.argv[1]), int(sys.argv[2]))
