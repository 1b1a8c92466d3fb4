# SPDX-License-Identifier: Apache-2.0

import semaphores

from pyusdt.libpyusdt import start, stop

for _ in range(100):
    start()
    start()
    assert semaphores.watchers() == 1
    stop()
    stop()
    assert semaphores.thread_names() == ["python"], semaphores.thread_names()
start()
print("ok")
