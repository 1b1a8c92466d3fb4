# SPDX-License-Identifier: Apache-2.0
import sys

import pyusdt


def work():
    pass


print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        work()
    print("done", flush=True)
