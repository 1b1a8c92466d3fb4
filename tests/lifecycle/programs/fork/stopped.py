# SPDX-License-Identifier: Apache-2.0
import semaphores
from children import fork_and_check, reap

from pyusdt.libpyusdt import stop

stop()


def check():
    assert not semaphores.watchers() and not semaphores.events()


reap(fork_and_check(check))
check()
print("all")
