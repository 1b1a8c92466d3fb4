# SPDX-License-Identifier: Apache-2.0
from thief import check, m, steal, work

import pyusdt


def fired():
    return pyusdt.status()["probes_fired"].get("PY_START", 0)


steal()
while m.get_tool(3) is None:
    pass
assert m.get_events(3) == m.events.PY_START | m.events.PY_RETURN
before = fired()
for i in range(100):
    work()
print(fired() - before)
check("stolen")
