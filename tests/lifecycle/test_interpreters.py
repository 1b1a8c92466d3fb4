# SPDX-License-Identifier: Apache-2.0
"""Another interpreter in the same process: importing pyusdt there says why it does not work."""

from __future__ import annotations

import pytest

# One API a version; each `run(source)` raises what the interpreter raised, or returns.
COMPAT = """
import sys
if sys.version_info >= (3, 14):
    from concurrent import interpreters
    def run(source, legacy):
        if not legacy: return interpreters.create().exec(source)
        import _interpreters
        failure = _interpreters.exec(_interpreters.create("legacy"), source)
        if failure: raise RuntimeError(failure.formatted)
elif sys.version_info >= (3, 13):
    import _interpreters
    def run(source, legacy):
        kind = "legacy" if legacy else "isolated"
        failure = _interpreters.exec(_interpreters.create(kind), source)
        if failure: raise RuntimeError(failure.formatted)
else:
    import _xxsubinterpreters
    def run(source, legacy):
        _xxsubinterpreters.run_string(_xxsubinterpreters.create(isolated=not legacy), source)
"""


@pytest.mark.parametrize("mode", ["without", "idle", "watched"])
@pytest.mark.parametrize("legacy", [False, True], ids=["isolated", "legacy"])
def test_an_import_says_why_not(run, mode, legacy):
    source = f"""
{COMPAT}
import os
run('''if True:
    import os
    try:
        import pyusdt
    except ImportError as error:
        os.write(1, f"{{error}}\\\\n".encode())
    ''', {legacy})
"""
    outcome = run(source, mode)
    assert (outcome.stderr, outcome.code) == ("", 0)
    assert outcome.stdout == "pyusdt works in the main interpreter only: import it there\n"


@pytest.mark.parametrize("legacy", [False, True], ids=["isolated", "legacy"])
def test_the_main_interpreter_goes_on(run, legacy):
    source = f"""
{COMPAT}
import semaphores
run("def work(): pass\\nfor i in range(100): work()", {legacy})
assert semaphores.events()
semaphores.down(*semaphores.ALL)
semaphores.wait_for()
semaphores.up("LINE")
semaphores.wait_for("LINE")
print("ok")
"""
    assert run(source, "watched") == ("ok\n", "", 0)
