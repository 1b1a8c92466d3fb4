# SPDX-License-Identifier: Apache-2.0
import sys

import semaphores

import pyusdt
from pyusdt.libpyusdt import start, stop

for taken, ours in ((), 4), ((4,), 3), ((4, 3), 2):
    stop()
    for i in taken:
        sys.monitoring.use_tool_id(i, "other")
    semaphores.up("PY_START")
    start()
    assert semaphores.tool() == ours, semaphores.tool()
    for i in taken:
        sys.monitoring.free_tool_id(i)
print("ok")
