# SPDX-License-Identifier: Apache-2.0
import sys

import semaphores

import pyusdt

assert semaphores.watchers() == 1
assert semaphores.events() == set()
assert [sys.monitoring.get_tool(i) for i in range(6)] == [None] * 6
print("null")
