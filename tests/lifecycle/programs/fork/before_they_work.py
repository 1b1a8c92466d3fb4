# SPDX-License-Identifier: Apache-2.0
from children import check_child, fork_and_check, reap

children = [fork_and_check() for _ in range(8)]
for child in children:
    reap(child)
check_child()
print("all")
