# SPDX-License-Identifier: Apache-2.0
import threading

from children import check_child, fork_and_check, reap


def work():
    for _ in range(10):
        reap(fork_and_check())


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
check_child()
print("all")
