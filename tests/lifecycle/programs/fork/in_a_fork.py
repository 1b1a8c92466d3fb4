# SPDX-License-Identifier: Apache-2.0
from children import check_child, fork_and_check, reap


def grandchild():
    check_child()
    reap(fork_and_check())
    check_child()


reap(fork_and_check(grandchild))
check_child()
print("all")
