# SPDX-License-Identifier: Apache-2.0
import gc

from semaphores import down, tool, up, wait_for

import pyusdt

before = list(gc.callbacks)
up("gc__begin", "gc__end", "mark", "step__start", "step__done")
while gc.callbacks == before:
    pass
assert tool() is None
gc.collect()
down("gc__begin", "gc__end", "mark", "step__start", "step__done")
while gc.callbacks != before:
    pass
print("null")
