# SPDX-License-Identifier: Apache-2.0
import sys

import semaphores

import pyusdt
from pyusdt.libpyusdt import start, stop

print("ready", flush=True)
input()
stop()
start()  # the watcher has just looked
semaphores.up("PY_START")
print("up", flush=True)
if sys.argv[1] == "react":
    semaphores.wait_for("PY_START")
    print("reacted", flush=True)
input()
print("on:", *semaphores.events(), flush=True)
