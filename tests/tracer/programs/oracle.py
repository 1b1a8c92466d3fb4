# SPDX-License-Identifier: Apache-2.0
"""The second opinion: a tool of its own in sys.monitoring, in Python, that notes what each probe
must say. Run as `oracle.py EVENT`; it runs scenario.run() between two lines of input.
"""

from __future__ import annotations

import os
import sys
from types import CodeType

import scenario

import pyusdt

EVENTS = sys.monitoring.events
TOOL = 5
SHAPE = {
    "PY_START": "entry",
    "PY_RESUME": "entry",
    "PY_RETURN": "value",
    "PY_YIELD": "value",
    "CALL": "callable",
    "C_RETURN": "callable",
    "C_RAISE": "callable",
    "LINE": "line",
    "STOP_ITERATION": "stop",
}
expected: list[str] = []


def value_text(value: object) -> str:
    if value is sys.monitoring.MISSING:
        return "<MISSING>"
    plain = (int, float, bool, str, bytes, list, tuple, dict, set, type(None))
    if type(value) in plain:
        return repr(value)
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


def callable_text(value: object) -> str:
    value = getattr(value, "__func__", value)
    if isinstance(value, type(print)):
        owner = value.__self__
        module = value.__module__
        if module is None:
            return f"{type(owner).__module__}.{value.__qualname__}"
        return f"{module}.{value.__qualname__}"
    if hasattr(value, "__objclass__"):
        return f"{value.__objclass__.__module__}.{value.__qualname__}"
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


def exception_text(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    if error.args and type(error.args[0]) is str and error.args[0]:
        return f"{name}: {error.args[0]}"
    return name


def line_at(code: CodeType) -> int:
    """The line at which the frame of `code` that runs now stands."""
    frame = sys._getframe()
    while frame.f_code is not code and frame.f_back:
        frame = frame.f_back
    return frame.f_lineno or code.co_firstlineno


def note(event: str, code: CodeType, where: int, value: object) -> None:
    if code.co_filename not in scenario.FILES:
        return
    shape = SHAPE.get(event, "exception")
    if shape == "line":
        fields = [code.co_name, code.co_filename, where, code.co_qualname]
    else:
        line = line_at(code) if shape == "exception" else code.co_firstlineno
        fields = [code.co_name, code.co_filename, line, where, code.co_qualname]
    if shape == "value":
        fields.insert(4, value_text(value))
    elif shape == "stop":
        fields.insert(4, value_text(value.value))  # type: ignore[attr-defined]
    elif shape == "callable":
        fields.insert(4, callable_text(value))
    elif shape == "exception":
        fields.insert(4, exception_text(value))  # type: ignore[arg-type]
    expected.append("|".join(str(f) for f in fields))


def listen(event: str, on: bool) -> None:
    number = getattr(EVENTS, event)

    def callback(code: CodeType, where: int, value: object = None, _arg0: object = None) -> None:
        note(event, code, where, value)

    mask = EVENTS.CALL if event in ("C_RETURN", "C_RAISE") else number
    sys.monitoring.register_callback(TOOL, number, callback if on else None)
    sys.monitoring.set_events(TOOL, mask if on else 0)


def main() -> None:
    event = sys.argv[1]
    # Tracers have a buffer for each processor: on one, lines stay in order.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sys.monitoring.use_tool_id(TOOL, "oracle")
    print("ready", flush=True)
    input()
    listen(event, True)
    scenario.run()
    listen(event, False)
    for line in expected:
        print("expected", line.encode("unicode_escape").decode())
    print("told", flush=True)
    input()


main()
