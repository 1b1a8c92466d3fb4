# SPDX-License-Identifier: Apache-2.0
"""Programs whose objects fight back: they print the same without pyusdt, idle, all watched, and
recorded.

A program prints which code of its own ran that it did not ask for: nothing, unless CPython itself
asks. One that hangs has met its test's deadline.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.asan, pytest.mark.tsan]

PROGRAMS = Path(__file__).parent / "programs"
HOSTILE = sorted((PROGRAMS / "hostile").glob("*.py"))


@pytest.mark.parametrize("then", ["fail", "recurse", "block", "start_thread", "vanish"])
def test_no_look_at_objects(same, run, then):
    without = same(PROGRAMS / "loud.py", THEN=then)
    assert without.code == 0
    assert run(PROGRAMS / "loud.py", "recorded", THEN=then) == without


@pytest.mark.parametrize("then", ["fail", "recurse", "start_thread", "vanish"])
def test_repr_is_asked_for(run, then):
    """PYUSDT_VALUES=repr runs the program's code, whatever that does; the program goes on."""
    outcome = run(PROGRAMS / "loud.py", "watched", THEN=then, PYUSDT_VALUES="repr")
    assert outcome == ("done 1\n", "", 0)


@pytest.mark.parametrize("program", HOSTILE, ids=lambda path: path.stem)
def test_goes_on_as_without(same, run, program):
    # How often CPython itself compares keys depends on the seed.
    without = same(program, PYTHONHASHSEED="0")
    assert without.code == 0
    assert run(program, "recorded", PYTHONHASHSEED="0") == without


@pytest.mark.unsanitized  # the limit does not allow for the sanitizer's own memory
@pytest.mark.parametrize("mode", ["without", "idle", "watched", "recorded"])
def test_no_memory(run, mode):
    assert run(PROGRAMS / "no_memory.py", mode) == ("20\n", "", 0)


@pytest.mark.unsanitized  # as above
def test_no_memory_for_the_watcher(run):
    """Python ends the process where PyGILState_Ensure() has no memory for a thread's state."""
    source = PROGRAMS / "no_memory_for_the_watcher.py"
    assert run(source, "idle", PYTHONMALLOC="malloc") == ("on\n", "", 0)
