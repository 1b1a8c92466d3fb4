# SPDX-License-Identifier: Apache-2.0
"""Another interpreter in the same process: importing pyusdt there says why it does not work."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.asan

PROGRAMS = Path(__file__).parent / "programs/interpreters"


@pytest.mark.parametrize("mode", ["without", "idle", "watched"])
@pytest.mark.parametrize("legacy", ["isolated", "legacy"])
def test_an_import_says_why_not(run, mode, legacy):
    source = PROGRAMS / "import_says_why_not.py"
    outcome = run(source, mode, LEGACY=legacy)
    assert (outcome.stderr, outcome.code) == ("", 0)
    assert outcome.stdout == "pyusdt works in the main interpreter only: import it there\n"


@pytest.mark.parametrize("legacy", ["isolated", "legacy"])
def test_the_main_interpreter_goes_on(run, legacy):
    source = PROGRAMS / "main_goes_on.py"
    assert run(source, "watched", LEGACY=legacy) == ("ok\n", "", 0)
