# SPDX-License-Identifier: Apache-2.0
"""CPython's test_monitoring beside another tool.

It wants to be alone: nobody may hold an id or have events on. So it is told of everything but of
pyusdt, and its third tool has an id that pyusdt does not take. A test that fails leaves its tools
behind, which would fail all that come after it.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from test import test_monitoring
from test.test_monitoring import *  # noqa: F403

OURS = next((i for i in range(6) if sys.monitoring.get_tool(i) == "pyusdt"), None)
TOOLS = (test_monitoring.TEST_TOOL, test_monitoring.TEST_TOOL2, 1)
test_monitoring.TEST_TOOL3 = TOOLS[2]


def hide(name: str, instead: Any) -> None:
    """Answer `instead` where sys.monitoring.NAME is asked about pyusdt's id."""
    real: Callable[[int], Any] = getattr(sys.monitoring, name)

    @wraps(real)
    def asked(tool: int) -> Any:
        answer = real(tool)
        return instead if tool == OURS else answer

    setattr(sys.monitoring, name, asked)


def hide_from_all() -> None:
    real: Callable[[], dict[str, int]] = sys.monitoring._all_events  # type: ignore[attr-defined]

    def all_events() -> dict[str, int]:
        others = {name: tools & ~(1 << OURS) for name, tools in real().items()}
        return {name: tools for name, tools in others.items() if tools}

    sys.monitoring._all_events = all_events  # type: ignore[attr-defined]


def clear(tool: int) -> None:
    monitoring = sys.monitoring
    if monitoring.get_tool(tool) is None:
        return
    monitoring.set_events(tool, 0)
    for event in vars(monitoring.events).values():
        if isinstance(event, int) and event.bit_count() == 1:
            monitoring.register_callback(tool, event, None)
    monitoring.free_tool_id(tool)


def clear_before_each() -> None:
    base = test_monitoring.MonitoringTestBase
    real = base.setUp

    def set_up(self: object) -> None:
        for tool in TOOLS:
            clear(tool)
        real(self)

    base.setUp = set_up


clear_before_each()
if OURS is not None:
    hide("get_tool", None)
    hide("get_events", 0)
    if hasattr(sys.monitoring, "_all_events"):
        hide_from_all()
