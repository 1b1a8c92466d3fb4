# SPDX-License-Identifier: Apache-2.0
import gc

reported = []


class List(list):
    def append(self, item):
        reported.append("append")

    remove = __contains__ = __iter__ = append


for _ in range(3):
    gc.collect()
gc.callbacks.clear()
gc.collect()
gc.callbacks.append(lambda phase, info: reported.append(phase))
gc.collect()
gc.callbacks = List()
gc.collect()
del gc.callbacks
gc.collect()
print(reported)
