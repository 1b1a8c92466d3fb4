# SPDX-License-Identifier: Apache-2.0
import os

from children import check_child, fork_and_check, reap

depth = 0


def again():
    global depth
    depth += 1
    if depth == 1:
        reap(fork_and_check())
    depth -= 1


os.register_at_fork(before=again)
reap(fork_and_check())
check_child()
print("all")
