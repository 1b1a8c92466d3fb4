# SPDX-License-Identifier: Apache-2.0
import sys

reported = []


def trace(frame, event, arg):
    if frame.f_code.co_name in ("work", "numbers"):
        reported.append((frame.f_lineno, event))
    return trace


def begin():
    sys.settrace(trace)


def end():
    sys.settrace(None)


def answer():
    return reported
