# SPDX-License-Identifier: Apache-2.0
import sys

import semaphores

semaphores.up(*semaphores.ALL)
import pyusdt

reported = []


def trace(frame, event, arg):
    if frame.f_code.co_name == "work":
        reported.append(event)
    return trace


def work():
    return 1


sys.settrace(trace)
work()
sys.settrace(None)
print(*reported)
