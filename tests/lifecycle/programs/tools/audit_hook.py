# SPDX-License-Identifier: Apache-2.0
import sys

import semaphores

from pyusdt.libpyusdt import start, stop

armed = True


def hook(event, args):
    if armed and event == "sys.monitoring.register_callback":
        raise RuntimeError("not here")


sys.addaudithook(hook)

stop()
semaphores.up("PY_START")
start()  # tries at once
assert [sys.monitoring.get_tool(i) for i in range(6)] == [None] * 6
armed = False
semaphores.wait_for("PY_START")
armed = True
semaphores.down("PY_START")
while semaphores.events():
    pass
armed = False
semaphores.up("LINE")
semaphores.wait_for("LINE")
print("ok")
