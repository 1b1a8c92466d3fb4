# SPDX-License-Identifier: Apache-2.0
import atexit

import semaphores


def last():
    print(semaphores.events(), semaphores.watchers())


atexit.register(last)
semaphores.up("PY_START")
import pyusdt
