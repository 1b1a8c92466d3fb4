# SPDX-License-Identifier: Apache-2.0
import os
import sys

import endings

for i in range(10):
    if os.fork() == 0:
        endings.work(100 + i)
        if i in (3, 6):
            sys.stdin.readline()  # for ever: it will be killed
        os._exit(0)
print("started", flush=True)
ends = [os.wait()[1] for _ in range(10)]
print("ended", sorted(map(os.waitstatus_to_exitcode, ends)))
