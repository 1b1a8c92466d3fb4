# SPDX-License-Identifier: Apache-2.0
import sys

reported = []
m = sys.monitoring
E = m.events


def callback(event):
    def report(code, *args):
        reported.append((event, code.co_name))
        return m.DISABLE if event == E.LINE else None

    return report


def begin():
    m.use_tool_id(3, "tool")
    for event in (E.PY_START, E.PY_RETURN, E.LINE, E.PY_YIELD, E.RAISE, E.CALL):
        m.register_callback(3, event, callback(event))
    m.set_events(3, E.PY_START | E.PY_RETURN | E.LINE | E.PY_YIELD | E.RAISE)


def end():
    m.set_events(3, 0)
    m.free_tool_id(3)


def answer():
    return [pair for pair in reported if pair[1] in ("work", "numbers")]
