# SPDX-License-Identifier: Apache-2.0
import sys

reported = []


def trace(frame, event, arg):
    reported.append((frame.f_code.co_name, event, frame.f_lineno))
    frame.f_trace_opcodes = len(reported) % 2 == 0
    return trace


def numbers(n):
    for i in range(n):
        yield i


def failing():
    try:
        raise ValueError
    except ValueError:
        return len("x")


def traced():
    return [*numbers(3), failing(), [x for x in "ab"]]


sys.settrace(trace)
traced()
sys.settrace(None)


def set_later():
    sys.settrace(trace)
    sys._getframe().f_trace = trace
    traced()


set_later()
sys.settrace(None)
print(*reported, sep="\n")
