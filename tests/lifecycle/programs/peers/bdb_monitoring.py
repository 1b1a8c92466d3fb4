# SPDX-License-Identifier: Apache-2.0
import bdb

import __main__

reported = []


class Debugger(bdb.Bdb):
    def user_line(self, frame):
        reported.append((frame.f_code.co_name, frame.f_lineno))
        self.set_continue()


debugger = Debugger(backend="monitoring")


def begin():
    line = __main__.work.__code__.co_firstlineno + 1
    assert debugger.set_break(__main__.__file__, line) is None
    debugger.reset()
    debugger.start_trace()


def end():
    debugger.stop_trace()


def answer():
    return [pair for pair in reported if pair[0] == "work"]
