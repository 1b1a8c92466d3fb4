# SPDX-License-Identifier: Apache-2.0
"""Every argument of every event's probe, without a tracer and without root."""

from __future__ import annotations

import pytest

# What stands between the bars of what the oracle expects; behind it comes the id.
ENTRY = ["function", "file", "line", "offset", "qualname"]
WITH_TEXT = ["function", "file", "line", "offset", "text", "qualname"]
ARGUMENTS = {
    "PY_START": ENTRY,
    "PY_RESUME": ENTRY,
    "PY_THROW": WITH_TEXT,
    "PY_RETURN": WITH_TEXT,
    "PY_YIELD": WITH_TEXT,
    "PY_UNWIND": WITH_TEXT,
    "CALL": WITH_TEXT,
    "C_RETURN": WITH_TEXT,
    "C_RAISE": WITH_TEXT,
    "LINE": ["function", "file", "line", "qualname"],
    "RAISE": WITH_TEXT,
    "RERAISE": WITH_TEXT,
    "EXCEPTION_HANDLED": WITH_TEXT,
    "STOP_ITERATION": WITH_TEXT,
}


@pytest.mark.parametrize("event", ARGUMENTS)
def test_every_argument_of_every_event(listen, event):
    told = listen("oracle_heard.py", event)
    names = ARGUMENTS[event]
    assert told["expected"]
    assert ["|".join(hit[:-1]) for hit in told["said"]] == told["expected"]
    assert {len(hit) for hit in told["said"]} == {len(names) + 1}
    functions = {(hit[-1], hit[names.index("qualname")], hit[1]) for hit in told["said"]}
    ids = {int(number) for number, _, _ in functions}
    assert min(ids) > 0
    assert len(ids) == len(functions), "one id, one function"
