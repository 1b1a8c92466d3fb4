# SPDX-License-Identifier: Apache-2.0
"""Generators and coroutines. See test_lines.py for what the comments say."""  #: 1

import asyncio  #: 1


def numbers(n):  #: 1
    try:  #: 3
        for i in range(n):  #: 9
            yield i  #: 7
        return "end"  #: 2
    finally:
        n = 0  #: 3


def delegating():  #: 1
    ended = yield from numbers(3)  #: 1
    yield ended  #: 1


def echo():  #: 1
    got = None  #: 1
    while True:  #: 4
        try:  #: 4
            got = yield got  #: 4 !1
        except ValueError:  #: 1
            got = "error"  #: 1


def nested(depth):  #: 1
    yield depth  #: 4
    if depth:  #: 4
        for value in nested(depth - 1):  #: 9
            yield value  #: 6


async def nap(n):  #: 1
    for _ in range(n):  #: 12
        await asyncio.sleep(0)  #: 8
    return n  #: 4


async def letters(n):  #: 1
    for i in range(n):  #: 5
        await nap(1)  #: 3
        yield i  #: 3


async def consumer():  #: 1
    total = 0  #: 1
    async for i in letters(3):  #: 4
        total += i  #: 3
    return total  #: 1


class Door:  #: 1; Door 1
    async def __aenter__(self):  #: 1
        await asyncio.sleep(0)  #: 1

    async def __aexit__(self, *of):  #: 1
        await asyncio.sleep(0)  #: 1


async def visitor():  #: 1
    async with Door():  #: 2
        await nap(5)  #: 1
    return [i async for i in letters(0)]  #: 1


async def main():  #: 1
    await asyncio.gather(consumer(), visitor())  #: 1


list(numbers(3))  #: 1
half = numbers(9)  #: 1
next(half)  #: 1
half.close()  #: 1
list(delegating())  #: 1
spoken = echo()  #: 1
next(spoken)  #: 1
spoken.send(1)  #: 1
spoken.throw(ValueError)  #: 1
spoken.send(2)  #: 1
list(nested(3))  #: 1
asyncio.run(main())  #: 1
