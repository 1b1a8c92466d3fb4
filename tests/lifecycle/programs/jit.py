# SPDX-License-Identifier: Apache-2.0
import os
import sys

import semaphores

import pyusdt

semaphores.up("PY_START", "function__done")
while not (pyusdt.status()["dormant"] or semaphores.events()):
    pass
assert sys._jit.is_enabled() is (os.environ["PYTHON_JIT"] == "1")
print(semaphores.tool(), (pyusdt.status()["dormant"] or "")[:12])
