# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys

import semaphores

for i in range(6):
    sys.monitoring.use_tool_id(i, f"tool {i}")
semaphores.up("PY_START", "LINE")
import pyusdt


def names():
    return [sys.monitoring.get_tool(i) for i in range(6)]


assert names() == [f"tool {i}" for i in range(6)]
semaphores.down("LINE")
assert not any(sys.monitoring.get_events(i) for i in range(6))
show = [sys.executable, "-m", "pyusdt", "status", "-p", str(os.getpid())]
reported = subprocess.check_output(show, text=True).splitlines()
print([line.split(maxsplit=1) for line in reported if "dormant" in line])
sys.monitoring.free_tool_id(3)
semaphores.wait_for("PY_START")
assert semaphores.tool() == 3
semaphores.down("PY_START")
semaphores.wait_for()
print(names())
