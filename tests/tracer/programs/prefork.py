# SPDX-License-Identifier: Apache-2.0
import os
import sys

import pyusdt


def work(i):
    return i


child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print("ready", flush=True)
input()
for i in range(29):
    work(i)
print("done", flush=True)
