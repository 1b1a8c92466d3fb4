# SPDX-License-Identifier: Apache-2.0
"""Every way in which a program ends is the way in which it ends without pyusdt."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = [pytest.mark.asan, pytest.mark.tsan]

PROGRAMS = Path(__file__).parent / "programs/exit"


class Ending(NamedTuple):
    code: int
    source: str | Path


EXIT_WITHOUT_STDERR = 120 if sys.version_info >= (3, 14) else 1

ENDINGS = {
    "runs out": Ending(0, "print('done')"),
    "sys.exit": Ending(3, "import sys; sys.exit(3)"),
    "sys.exit with a text": Ending(1, "import sys; sys.exit('why')"),
    "exception": Ending(1, "def f(): raise ValueError('x')\nf()"),
    "os._exit": Ending(4, "import os; print('gone', flush=True); os._exit(4)"),
    "abort": Ending(-signal.SIGABRT, "import os; os.abort()"),
    "SIGTERM": Ending(
        -signal.SIGTERM, "import os, signal; os.kill(os.getpid(), signal.SIGTERM); input()"
    ),
    "SIGTERM with a handler": Ending(
        5,
        """
        import os, signal, sys
        signal.signal(signal.SIGTERM, lambda *args: sys.exit(5))
        os.kill(os.getpid(), signal.SIGTERM)
        while True: pass
        """,
    ),
    "KeyboardInterrupt": Ending(
        -signal.SIGINT,
        """
        import os, signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.kill(os.getpid(), signal.SIGINT)
        while True: pass
        """,
    ),
    "RecursionError": Ending(
        1, "def f(): f()\ntry: f()\nexcept RecursionError: raise SystemExit(1)"
    ),
    "daemon threads": Ending(
        0,
        PROGRAMS / "daemon_threads.py",
    ),
    "daemon threads and an exception": Ending(
        1,
        PROGRAMS / "daemon_threads_and_an_exception.py",
    ),
    "a thread goes on": Ending(
        0,
        PROGRAMS / "a_thread_goes_on.py",
    ),
    "sys.exit in a thread": Ending(
        0,
        """
        import sys, threading
        thread = threading.Thread(target=lambda: sys.exit(3))
        thread.start(); thread.join()
        print("main goes on")
        """,
    ),
    "exception in a thread": Ending(
        0,
        """
        import threading
        thread = threading.Thread(target=lambda: 1 / 0, name="worker")
        thread.start(); thread.join()
        """,
    ),
    "atexit runs Python": Ending(
        0,
        PROGRAMS / "atexit_runs_python.py",
    ),
    "atexit fails": Ending(0, "import atexit; atexit.register(lambda: 1 / 0)"),
    "finalizers run Python": Ending(
        0,
        PROGRAMS / "finalizers_run_python.py",
    ),
    "fork in atexit": Ending(
        0,
        PROGRAMS / "fork_in_atexit.py",
    ),
    "exec": Ending(7, "import os, sys; os.execv(sys.executable, ['python', '-c', 'exit(7)'])"),
    "stderr is closed": Ending(EXIT_WITHOUT_STDERR, "import os; os.close(2); raise ValueError"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_ends_as_without(same, name):
    ending = ENDINGS[name]
    assert same(ending.source).code == ending.code


def test_first_import_at_exit(run):
    assert run(PROGRAMS / "first_import_at_exit.py", "without") == ("imported\n", "", 0)


def test_events_are_off_when_other_exit_handlers_run(run):
    """Ours runs before those that were registered before it: nothing of ours is left then."""
    source = PROGRAMS / "events_at_exit.py"
    assert run(source, "without") == ("set() 0\n", "", 0)
