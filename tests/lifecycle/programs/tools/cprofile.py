# SPDX-License-Identifier: Apache-2.0
import cProfile

import semaphores

semaphores.up("PY_START", "PY_RETURN", "LINE")
import pyusdt


def work(n):
    return n and work(n - 1)


with cProfile.Profile() as profile:
    work(22)
counts = {e.code.co_name: e.callcount for e in profile.getstats() if hasattr(e.code, "co_name")}
print(counts["work"], semaphores.tool())
