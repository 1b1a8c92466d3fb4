# SPDX-License-Identifier: Apache-2.0
"""As many children as the word says, which all end at the same moment."""

import os
import sys


def leaf() -> None:
    pass


gate, opened = os.pipe()
children = []
for _ in range(int(sys.argv[1])):
    pid = os.fork()
    if pid == 0:
        os.close(opened)
        for _ in range(1000):
            leaf()
        os.read(gate, 1)
        os._exit(0)
    children.append(pid)
os.close(opened)
assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * len(children)
