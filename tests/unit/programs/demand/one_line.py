# SPDX-License-Identifier: Apache-2.0
import json
import os

from semaphores import up

up("LINE", *json.loads(os.environ["OTHERS"]))
import pyusdt

exec("def f(x): return x + 1")


def g(x):
    return x + 1


for i in range(100):
    f(i)  # noqa: F821
    g(i)
print(json.dumps(pyusdt.status()["probes_fired"]["LINE"]))
