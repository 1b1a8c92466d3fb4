# SPDX-License-Identifier: Apache-2.0
import atexit
import sys
import traceback


def show():
    traceback.print_tb(sys.last_traceback)
    print(sys.last_type, sys.last_value, sys.last_exc is sys.last_value)
    print(sys.last_exc.__traceback__ is sys.last_traceback, sys.excepthook)


atexit.register(show)
del show
sys.last_exc = None
raise ValueError("the last")
