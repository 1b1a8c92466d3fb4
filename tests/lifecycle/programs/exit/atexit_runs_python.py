# SPDX-License-Identifier: Apache-2.0
import asyncio
import atexit


def numbers(n):
    yield from range(n)


async def nap():
    await asyncio.sleep(0)
    return "awake"


def work():
    print(list(numbers(5)), asyncio.run(nap()))
    try:
        int("x")
    except ValueError as error:
        print(error)


atexit.register(work)
