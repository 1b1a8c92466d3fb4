# SPDX-License-Identifier: Apache-2.0
"""Imported by an observed program: takes pyusdt's tool id, as viztracer does."""

from __future__ import annotations

import os
import sys

import semaphores

import pyusdt  # noqa: F401

m = sys.monitoring
reported: list[str] = []
# Made here: pyusdt's own name is another string with the same letters.
NAME = "".join(os.environ["THIEF"].split("-"))


def steal() -> None:
    """As viztracer does: whoever has the id loses it."""
    semaphores.up("PY_START", "PY_RETURN")
    semaphores.wait_for("PY_START", "PY_RETURN")
    assert semaphores.tool() == 4
    m.free_tool_id(4)
    m.use_tool_id(4, NAME)
    m.register_callback(4, m.events.PY_START, lambda code, offset: reported.append(code.co_name))
    m.register_callback(4, m.events.LINE, lambda code, line: None)
    m.set_events(4, m.events.PY_START | m.events.LINE)


def work() -> None:
    pass


def check(what: str) -> None:
    reported.clear()
    work()
    assert reported[0] == "work", (what, reported)
    assert m.get_tool(4) is NAME
    assert m.get_events(4) == m.events.PY_START | m.events.LINE
