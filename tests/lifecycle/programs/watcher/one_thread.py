# SPDX-License-Identifier: Apache-2.0
import semaphores

assert sorted(semaphores.thread_names())[-1] == "pyusdt"
assert semaphores.watchers() == len(semaphores.thread_names()) - 1 == 1
print("ok")
