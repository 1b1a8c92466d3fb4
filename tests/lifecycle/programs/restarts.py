# SPDX-License-Identifier: Apache-2.0
import sys
import threading

import pyusdt
from pyusdt.libpyusdt import start, stop


def deep(n):
    return deep(n - 1) if n else [i for i in range(10)]


def spin():
    while not over:
        deep(50)


over = False
sys.setswitchinterval(0.0005)
threads = [threading.Thread(target=spin) for _ in range(3)]
for thread in threads:
    thread.start()
print("ready", flush=True)
input()
for _ in range(int(sys.argv[1])):
    stop()
    assert not any(sys.monitoring.get_tool(i) for i in range(6))
    start()
over = True
for thread in threads:
    thread.join()
