# SPDX-License-Identifier: Apache-2.0
"""A program that does a known amount of work and then ends as it is told, or starts others."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
import threading


def leaf() -> None:
    pass


def work(n: int) -> int:
    for _ in range(n):
        leaf()
    return n


def nothing(*_: object) -> None:
    pass


def wait() -> None:
    """Until somebody ends us."""
    print("ready", flush=True)
    sys.stdin.readline()
    work(5)


def fail() -> None:
    raise ValueError("as asked")


def handler() -> None:
    signal.signal(signal.SIGTERM, lambda *_: work(3) and sys.exit(4))
    wait()


def ignore() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait()


def default_again() -> None:
    """What the program sees is what python shows it."""
    print("signals", signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
    signal.signal(signal.SIGTERM, nothing)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    wait()


def fork() -> None:
    for n in (10, 100):
        if os.fork() == 0:
            work(n)
            os._exit(0)
    for _ in range(2):
        os.wait()


def fork_that_returns() -> None:
    if os.fork() == 0:
        work(10)
        sys.exit(3)
    os.wait()


def children(method: str) -> None:
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        assert pool.map(work, [10, 20, 30], chunksize=1) == [10, 20, 30]
    child = context.Process(target=work, args=(40,))
    child.start()
    child.join()
    assert child.exitcode == 0


def subprocesses() -> None:
    here = os.path.abspath(__file__)
    subprocess.run([sys.executable, "-m", "pyusdt", here, "plain"], check=True)
    code = "import pyusdt\ndef leaf(): pass\nfor i in range(7): leaf()"
    subprocess.run([sys.executable, "-c", code], check=True)
    subprocess.run([sys.executable, "-m", "pyusdt", "lib"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, "-c", "def leaf(): pass\nleaf()"], check=True)


def in_exit() -> None:
    atexit.register(work, 50)
    thread = threading.Timer(0.05, work, (500,))
    thread.start()  # python waits for it


ENDINGS = {
    "plain": nothing,
    "exit": lambda: sys.exit(7),
    "message": lambda: sys.exit("said"),
    "raise": fail,
    "_exit": lambda: os._exit(9),
    "abort": os.abort,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "interrupt": lambda: signal.raise_signal(signal.SIGINT),
    "wait": wait,
    "handler": handler,
    "ignore": ignore,
    "default_again": default_again,
    "fork": fork,
    "fork_that_returns": fork_that_returns,
    "subprocesses": subprocesses,
    "in_exit": in_exit,
}

if __name__ == "__main__":
    work(1000)
    for word in sys.argv[1:]:
        ENDINGS[word]()
