# SPDX-License-Identifier: Apache-2.0
import json
import os

import semaphores
from semaphores import down, events, tool, up, wait_for

import pyusdt
from pyusdt.libpyusdt import start, stop

found = {}
for probe in json.loads(os.environ["PROBES"]):
    if os.environ["WATCHED"] == "at import":
        stop()
        assert tool() is None and not semaphores.watchers()
        up(probe)
        start()
    else:
        up(probe)
        while not events():
            pass
    found[probe] = [tool(), sorted(events())]
    down(probe)
    wait_for()
    assert tool() is None
print(json.dumps(found))
