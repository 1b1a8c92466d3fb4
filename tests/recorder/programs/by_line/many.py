# SPDX-License-Identifier: Apache-2.0
"""Threads, and many tasks. See test_lines.py for what the comments say."""  #: 1

import asyncio  #: 1
import threading  #: 1

THREADS, TASKS, TIMES = 4, 50, 100  #: 1


def collatz(n):  #: 1
    steps = 0  #: 400
    while n != 1:  #: 3600
        n = 3 * n + 1 if n & 1 else n // 2  #: 3200
        steps += 1  #: 3200
    return steps  #: 400


def worker():  #: 1
    for _ in range(TIMES):  #: 404
        collatz(6)  #: 400


def values(n):  #: 1
    while n:  #: 5050
        yield n  #: 5000
        n -= 1  #: 5000


async def turn(n):  #: 1
    await asyncio.sleep(0)  #: 5000
    return n  #: 5000


async def task():  #: 1
    for i in values(TIMES):  #: 5050
        await turn(i)  #: 5000


async def main():  #: 1
    async with asyncio.TaskGroup() as group:  #: 2
        for _ in range(TASKS):  #: 51
            group.create_task(task())  #: 50


threads = [threading.Thread(target=worker) for _ in range(THREADS)]  #: 1
for thread in threads:  #: 5
    thread.start()  #: 4
for thread in threads:  #: 5
    thread.join()  #: 4
asyncio.run(main())  #: 1
