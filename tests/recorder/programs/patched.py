# SPDX-License-Identifier: Apache-2.0
"""Works while the functions that its arguments name, after the first, raise an error; the first
says what ends it."""

import os
import sys
from unittest import mock

import pyusdt


def work(n: int) -> int:
    return sum(range(n))


def run(how: str, names: list[str]) -> None:
    begin, leave = os.fork, os._exit
    mocks = []
    for name in names:
        patch = mock.patch(name, side_effect=AssertionError(name))
        mocks.append(patch.start())
    for n in range(50):
        work(n)
    if how == "block":
        with pyusdt.record("block.pyusdt"):
            work(1)
    child = begin() if how == "fork" else None
    if child == 0:
        work(1)
        leave(0)
    if child is not None:
        os.waitpid(child, 0)
    if how == "os._exit":
        leave(0)
    if how == "undone":
        mock.patch.stopall()
        for replacement in mocks:
            replacement.assert_not_called()
    if how == "exec":
        os.execv("/bin/true", ["true"])


run(sys.argv[1], sys.argv[2:])
