# SPDX-License-Identifier: Apache-2.0
"""Whatever is recorded, nothing stays behind."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

import pytest

DEADLINE = 30


def tools() -> list[object]:
    return [sys.monitoring.get_tool(tool) for tool in range(6)]


@pytest.fixture(autouse=True)
def nothing_stays_on() -> Iterator[None]:
    """What a recording switches on is off again after it, at the latest with the watcher's look."""
    yield
    deadline = time.monotonic() + DEADLINE
    while "pyusdt" in tools() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "pyusdt" not in tools()
    assert not hasattr(os._exit, "__wrapped__")
