# SPDX-License-Identifier: Apache-2.0
import json
import os

from semaphores import up

up(os.environ["FIRST"])
import pyusdt


def work():
    pass


up("PY_START", "PY_RETURN")
for _ in range(100):
    work()
fired = pyusdt.status()["probes_fired"]
print(json.dumps([fired["PY_START"], fired["PY_RETURN"]]))
