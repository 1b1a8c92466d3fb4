# SPDX-License-Identifier: Apache-2.0
"""Every way in which a program ends is the way in which it ends without pyusdt."""

from __future__ import annotations

import signal
import sys
from typing import NamedTuple

import pytest

pytestmark = [pytest.mark.asan, pytest.mark.tsan]


class Ending(NamedTuple):
    code: int
    source: str


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
        """
        import threading
        def spin():
            while True: [i for i in range(100)]
        def resume():
            while True: yield
        for _ in range(3):
            threading.Thread(target=spin, daemon=True).start()
            threading.Thread(target=lambda: [None for _ in resume()], daemon=True).start()
        """,
    ),
    "daemon threads and an exception": Ending(
        1,
        """
        import threading
        def spin():
            while True: len([1])
        for _ in range(4): threading.Thread(target=spin, daemon=True).start()
        raise SystemExit("over")
        """,
    ),
    "a thread goes on": Ending(
        0,
        """
        import threading
        go = threading.Event()
        def work():
            go.wait()
            print(sum(i for i in range(1000)))
        threading.Thread(target=work).start()
        go.set()
        """,
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
        """
        import atexit, asyncio
        def numbers(n): yield from range(n)
        async def nap(): await asyncio.sleep(0); return "awake"
        def work():
            print(list(numbers(5)), asyncio.run(nap()))
            try: int("x")
            except ValueError as error: print(error)
        atexit.register(work)
        """,
    ),
    "atexit fails": Ending(0, "import atexit; atexit.register(lambda: 1 / 0)"),
    "finalizers run Python": Ending(
        0,
        """
        class Last:
            def __del__(self): print([i for i in range(3)], flush=True)
        last = Last()
        loop = [Last()]; loop.append(loop)
        def suspended():
            try: yield
            finally: print("closed", flush=True)
        generator = suspended(); next(generator)
        """,
    ),
    "fork in atexit": Ending(
        0,
        """
        import atexit, os
        def work():
            child = os.fork()
            if child: print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
            else: os._exit(6)
        atexit.register(work)
        """,
    ),
    "exec": Ending(7, "import os, sys; os.execv(sys.executable, ['python', '-c', 'exit(7)'])"),
    "stderr is closed": Ending(EXIT_WITHOUT_STDERR, "import os; os.close(2); raise ValueError"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_ends_as_without(same, name):
    ending = ENDINGS[name]
    assert same(ending.source).code == ending.code


FIRST_IMPORT_AT_EXIT = """
import atexit
def late():
    import semaphores
    semaphores.up("PY_START", "LINE")
    import pyusdt
    semaphores.wait_for("PY_START", "LINE")
    print("imported")
atexit.register(late)
"""


def test_first_import_at_exit(run):
    assert run(FIRST_IMPORT_AT_EXIT, "without") == ("imported\n", "", 0)


def test_events_are_off_when_other_exit_handlers_run(run):
    """Ours runs before those that were registered before it: nothing of ours is left then."""
    source = """
    import atexit
    import semaphores
    def last(): print(semaphores.events(), semaphores.watchers())
    atexit.register(last)
    semaphores.up("PY_START")
    import pyusdt
    """
    assert run(source, "without") == ("set() 0\n", "", 0)
