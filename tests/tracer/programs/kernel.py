# SPDX-License-Identifier: Apache-2.0
"""Does known work in the kernel, and prints what it knows of it: lines of NAME NUMBER."""

import os
import select
import socket
import sys
import tempfile
import threading
import time


def asks() -> None:
    for _ in range(1009):
        os.getppid()


def fails() -> None:
    for _ in range(101):
        try:
            os.rmdir("/none/of/these")
        except OSError:
            pass


def writes() -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(50):
            file.write(b"x" * 10_000)
        os.fsync(file.fileno())


def talks() -> None:
    here, there = socket.socketpair()
    with here, there:
        for _ in range(23):
            here.send(b"y" * 100)
            there.recv(100)


def pipes(piped: int) -> None:
    """Waits for it, too."""
    assert os.read(piped, 100) == b"late"


def polls() -> None:
    select.select([], [], [], 0.2)


def naps() -> None:
    for _ in range(7):
        time.sleep(0.03)


def waits_for_a_lock(lock) -> None:
    lock.acquire()


def waits_for_a_child() -> None:
    child = os.fork()
    if not child:
        asks()
        time.sleep(0.2)
        os._exit(0)  # without what is in the buffer
    os.waitpid(child, 0)


def touches() -> None:
    bytearray(8 << 20)


def spins() -> None:
    end = time.thread_time() + 0.3
    while time.thread_time() < end:
        pass


def refused() -> int:
    """For how many ns the machine has given this thread no CPU that it wanted: others had it, or
    none was there."""
    with open("/proc/thread-self/schedstat") as file:
        waited = int(file.read().split()[1])
    with open("/proc/stat") as file:
        stolen = int(file.readline().split()[8])
    return waited + stolen * (1_000_000_000 // os.sysconf("SC_CLK_TCK"))


def measured(function, *arguments) -> None:
    """Prints for how many ns this thread has no CPU in it."""
    begin, cpu = time.monotonic_ns(), time.thread_time_ns()
    function(*arguments)
    print(function.__name__, time.monotonic_ns() - begin - (time.thread_time_ns() - cpu))


def all_waits(piped: int, lock) -> None:
    measured(pipes, piped)
    measured(polls)
    measured(naps)
    measured(waits_for_a_lock, lock)
    measured(waits_for_a_child)
    measured(spins)


def waits(piped: int, lock) -> None:
    before = refused()
    measured(all_waits, piped, lock)
    print("refused", refused() - before)
    print("thread", threading.get_native_id())


def works() -> None:
    asks()
    fails()
    writes()
    talks()
    touches()
    piped, pipe = os.pipe()
    lock = threading.Lock()
    lock.acquire()
    thread = threading.Thread(target=waits, args=(piped, lock))
    thread.start()
    time.sleep(0.2)
    os.write(pipe, b"late")
    time.sleep(0.8)
    lock.release()
    spins()
    thread.join()


if "work" in sys.argv:
    works()
    print("pid", os.getpid(), flush=True)
if "ask" in sys.argv:
    asks()
    print("pid", os.getpid(), flush=True)
if "wait" in sys.argv:
    time.sleep(600)
if "repeat" in sys.argv:
    import pyusdt

    print("ready", flush=True)
    while True:
        asks()
        time.sleep(0.01)
