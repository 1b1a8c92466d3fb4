# SPDX-License-Identifier: Apache-2.0
"""Other users of sys.monitoring: those that have all ids, that take ours, that forbid its use."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.asan, pytest.mark.tsan]

PROGRAMS = Path(__file__).parent / "programs/tools"

DORMANT = "pyusdt: other tools hold the ids 2 to 4 of sys.monitoring: dormant until one is free"


def test_the_next_free_id_is_taken(run):
    source = PROGRAMS / "next_free_id.py"
    assert run(source, "without") == ("ok\n", "", 0)


def test_all_ids_are_taken_and_one_is_freed(run):
    source = PROGRAMS / "all_ids_taken.py"
    names = [None if i == 3 else f"tool {i}" for i in range(6)]
    told = [["dormant", "other tools hold the ids 2 to 4 of sys.monitoring"]]
    assert run(source, "without") == (f"{told}\n{names}\n", f"{DORMANT}\n", 0)


def test_whoever_takes_our_id_keeps_it(run):
    """Also one that bears our name: another string with the same letters."""
    for name in ("thief", "py-usdt"):
        source = PROGRAMS / "id_is_taken.py"
        assert run(source, "without", THIEF=name) == ("ok\n", "", 0)


def test_a_theft_is_noticed_though_nothing_else_happens(run):
    """Another id is claimed, and each call is heard once again."""
    source = PROGRAMS / "theft_is_noticed.py"
    outcome = run(source, "without", THIEF="thief", PYUSDT_VERBOSE="1", PYUSDT_ONLY="thief:work")
    said = outcome.stderr.splitlines()
    both = [line for line in said if line.endswith(": PY_START PY_RETURN")]  # one may come first
    assert both == [f"pyusdt: enabled, tool id {i}: PY_START PY_RETURN" for i in (4, 3)]
    assert (outcome.stdout, outcome.code) == ("100\n", 0)


def test_a_thief_outlives_us(run):
    source = PROGRAMS / "thief_outlives_us.py"
    assert run(source, "without", THIEF="thief") == ("ok\n", "", 0)


def test_an_audit_hook_forbids_callbacks(run):
    """No exception of ours, no id held; and when it allows them, the events go on."""
    source = PROGRAMS / "audit_hook.py"
    outcome = run(source, "without")
    assert (outcome.stdout, outcome.code) == ("ok\n", 0)
    assert set(outcome.stderr.splitlines()) == {
        "pyusdt: sys.monitoring refused to enable events: dormant, trying again"
    }


def test_cprofile_beside_us(run):
    """It wants id 2, which is the last that we ask for."""
    source = PROGRAMS / "cprofile.py"
    assert run(source, "without") == ("23 4\n", "", 0)


def test_settrace_beside_us(run):
    source = PROGRAMS / "settrace.py"
    assert run(source, "without") == ("call line return\n", "", 0)
