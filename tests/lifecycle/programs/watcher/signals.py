# SPDX-License-Identifier: Apache-2.0
import os
import signal

import semaphores

got = []
signal.signal(signal.SIGUSR1, lambda *args: got.append(len(got)))
for i in range(200):
    (semaphores.up if i % 2 else semaphores.down)("LINE", "PY_START", "CALL")
    os.kill(os.getpid(), signal.SIGUSR1)
    while len(got) <= i:
        pass
semaphores.down("LINE", "PY_START", "CALL")
semaphores.wait_for()
print("ok")
