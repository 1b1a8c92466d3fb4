# SPDX-License-Identifier: Apache-2.0
import sys

sys.setrecursionlimit(400)


def nested(n):
    yield from nested(n + 1)


def in_c(n):
    return sorted([1, 2], key=lambda x: in_c(n + 1))


async def chain(n):
    await chain(n + 1)


class Deep:
    def __getattr__(self, name):
        return getattr(self, name + "x")


for what in (
    lambda: list(nested(0)),
    lambda: in_c(0),
    lambda: chain(0).send(None),
    lambda: Deep().x,
):
    try:
        what()
    except RecursionError:
        print("caught")
