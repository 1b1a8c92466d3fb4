# SPDX-License-Identifier: Apache-2.0
"""Another interpreter in the same process: importing pyusdt there says why it does not work."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.asan

# run(SOURCE, LEGACY) in a new interpreter, which shares our GIL if it is a legacy one. Each version
# of Python has another API for it.
COMPAT = """
import sys
try:
    import _interpreters  # 3.13
except ImportError:
    import _xxsubinterpreters as _interpreters

def run(source, legacy):
    if sys.version_info >= (3, 13):
        interpreter = _interpreters.create("legacy" if legacy else "isolated")
        failure = _interpreters.exec(interpreter, source)
        assert failure is None, failure.formatted
    else:
        interpreter = _interpreters.create(isolated=not legacy)
        _interpreters.run_string(interpreter, source)
    _interpreters.destroy(interpreter)
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
