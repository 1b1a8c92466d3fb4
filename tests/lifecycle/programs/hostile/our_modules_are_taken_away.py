# SPDX-License-Identifier: Apache-2.0
import sys

for name in [name for name in sys.modules if name.startswith("pyusdt")]:
    del sys.modules[name]
globals().pop("pyusdt", None)
import gc

gc.collect()


def work():
    return sum(i for i in range(100))


print([work() for _ in range(3)])
