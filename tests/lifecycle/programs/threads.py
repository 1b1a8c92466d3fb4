# SPDX-License-Identifier: Apache-2.0
"""Threads, and what there is in place of threads, at work: threads.py KIND N [LIBRARY].

Says "ready". For each line of standard input does N calls, after "on" again and again until the
next line comes, and says "done" with how many watchers and threads of Python there are.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import select
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import meeting


def work() -> int:
    return 1


def short_lived(n: int) -> None:
    """As many threads as are wanted, 50 at a time."""
    for _ in range(n // 50):
        threads = [threading.Thread(target=work) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def executor(n: int) -> None:
    with ThreadPoolExecutor(32) as pool:
        for _ in range(n):
            pool.submit(work)


def native(n: int) -> None:
    """Each of 50 threads at a time enters Python ten times, and leaves it altogether between."""
    library = ctypes.CDLL(sys.argv[3])
    call = ctypes.CFUNCTYPE(None)(lambda: work() and None)
    for _ in range(n // 500):
        assert library.call_from_threads(call, 50, 10) == 0


def greenlets(n: int) -> None:
    import greenlet

    def task() -> None:
        for _ in range(10):
            work()
            hub.switch()

    hub = greenlet.getcurrent()
    tasks = [greenlet.greenlet(task) for _ in range(n // 10)]
    while tasks:
        for one in tasks:
            one.switch()
        tasks = [one for one in tasks if not one.dead]


def gevents(n: int) -> None:
    import gevent

    def task() -> None:
        for _ in range(10):
            work()
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(task) for _ in range(n // 10)], raise_error=True)


def tasks(n: int) -> None:
    async def task() -> None:
        for _ in range(10):
            work()
            await asyncio.sleep(0)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(n // 10):
                group.create_task(task())

    asyncio.run(main())


def blocked(n: int) -> None:
    """Each waits in C for a byte of its own, and works."""

    def wait() -> None:
        os.read(reader, 1)
        work()

    reader, writer = os.pipe()
    threads = [threading.Thread(target=wait) for _ in range(n)]
    for thread in threads:
        thread.start()
    print("blocked", flush=True)
    os.read(0, 100)
    os.write(writer, bytes(n))
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    print("ready", flush=True)
    kind, n = globals()[sys.argv[1]], int(sys.argv[2])
    while line := os.read(0, 100):
        kind(n)
        while line == b"on\n" and not select.select([0], [], [], 0)[0]:
            kind(n)
        print("done", meeting.watchers(), threading.active_count(), flush=True)
