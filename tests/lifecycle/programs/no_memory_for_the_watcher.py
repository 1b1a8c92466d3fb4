# SPDX-License-Identifier: Apache-2.0
import resource
import time

import semaphores

limits = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (1, limits[1]))
hoard, size = None, 1 << 20
while size >= 128:
    try:
        hoard = hoard, bytes(size)
    except MemoryError:
        size //= 2
semaphores.up("PY_START")
time.sleep(0.05)  # the watcher looks again and again, and can do nothing
del hoard
resource.setrlimit(resource.RLIMIT_AS, limits)
semaphores.wait_for("PY_START")
print("on")
