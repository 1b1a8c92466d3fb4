# SPDX-License-Identifier: Apache-2.0
"""Calls leaf() 1000 times, says ready, and ends in the way that its words name."""

from __future__ import annotations

import inspect
import os
import pickle
import re
import resource
import signal
import sys
import threading
import time
from types import FrameType


def leaf() -> None:
    pass


def work(n: int) -> None:
    for _ in range(n):
        leaf()


def ready() -> None:
    print("ready", flush=True)


def wait() -> None:
    """For the signal, in C code that gives the GIL back."""
    ready()
    sys.stdin.buffer.raw.read(1)


def at_default(*names: str) -> None:
    """Wait, with these signals as a program has them that is not in Python."""
    for name in names:
        signal.signal(signal.Signals[name], signal.SIG_DFL)
    wait()


def at_once(name: str) -> None:
    """Die by this signal as soon as its default is back, leaving nobody time to notice."""
    signal.signal(signal.Signals[name], signal.SIG_DFL)
    os.kill(os.getpid(), signal.Signals[name])
    time.sleep(60)


def pipe_is_full() -> None:
    """Print to somebody who reads one line."""
    reading, writing = os.pipe()
    os.dup2(writing, 1)
    os.close(writing)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.close(reading)
    print("nobody reads this", flush=True)
    raise AssertionError("unreachable")


def looks() -> None:
    """What a program sees of signal.signal()."""
    import _signal

    assert pickle.loads(pickle.dumps(signal.signal)) is signal.signal
    assert pickle.loads(pickle.dumps(_signal.signal)) is _signal.signal
    assert str(inspect.signature(_signal.signal)) == "(signalnum, handler, /)"
    assert str(inspect.signature(signal.signal)) == "(signalnum, handler)"
    assert repr(_signal.signal) == "<built-in function signal>"
    assert _signal.signal.__module__ == "_signal"
    assert (_signal.signal.__doc__ or "").startswith("Set the action for the given signal.")
    assert signal.signal(signal.SIGTERM, signal.SIG_DFL) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    for wrong in (signal.SIGKILL, 0):
        try:
            signal.signal(wrong, signal.SIG_DFL)
        except (OSError, ValueError):
            continue
        raise AssertionError(wrong)


def handled(*names: str) -> None:
    """Report each of the signals, until the first one comes a second time."""
    seen: list[str] = []

    def handler(number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        seen.append(name)
        os.write(1, f"handled {name}\n".encode())  # it may interrupt a print()

    for name in names:
        signal.signal(signal.Signals[name], handler)
    ready()
    while seen.count(names[0]) < 2:
        time.sleep(0.01)


def sleep() -> None:
    """Without reading from the terminal, which has an end when it is closed."""
    ready()
    while True:
        time.sleep(1)


def in_thread() -> None:
    """Wait in the main thread, while another one works all the time."""

    def spin() -> None:
        while True:
            pass

    threading.Thread(target=spin, daemon=True).start()
    wait()


def keeps_gil() -> None:
    """Be in C code for years, which neither gives the GIL back nor looks for signals."""
    sys.stdin.buffer.raw.read(1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    ready()
    re.match(r"(a+)+$", "a" * 60 + "b")


def alarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    wait()


def virtual_alarm() -> None:
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.01)
    while True:
        sum(range(1000))


def profile_alarm() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0.01)
    while True:
        sum(range(1000))


def too_much_cpu() -> None:
    used = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + 1, used + 60))
    while True:
        sum(range(1000))


def broken_pipe() -> None:
    """Write to a pipe that nobody reads, as a filter does."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    reading, writing = os.pipe()
    os.close(reading)
    with open("/proc/self/status", encoding="ascii") as status:
        while not int(re.findall(r"SigCgt:\s*(\w+)", status.read())[0], 16) & 1 << 12:
            status.seek(0)
    os.write(writing, b"x")
    raise AssertionError("unreachable")


ENDINGS = {
    "at_default": at_default,
    "handled": handled,
    "wait": wait,
    "sleep": sleep,
    "in_thread": in_thread,
    "keeps_gil": keeps_gil,
    "abort": os.abort,
    "alarm": alarm,
    "virtual_alarm": virtual_alarm,
    "profile_alarm": profile_alarm,
    "too_much_cpu": too_much_cpu,
    "broken_pipe": broken_pipe,
    "at_once": at_once,
    "pipe_is_full": pipe_is_full,
    "looks": looks,
}

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    work(1000)
    ENDINGS[sys.argv[1]](*sys.argv[2:])
