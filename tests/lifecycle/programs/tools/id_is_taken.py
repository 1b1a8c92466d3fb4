# SPDX-License-Identifier: Apache-2.0
import semaphores
from thief import check, m, steal

from pyusdt.libpyusdt import stop

steal()
check("stolen")
semaphores.up("CALL")
while m.get_tool(3) is None:
    pass
assert m.get_events(3) == m.events.PY_START | m.events.PY_RETURN | m.events.CALL
check("other events are wanted")
semaphores.down("PY_START", "PY_RETURN", "CALL")
while m.get_tool(3) is not None:
    pass
check("nothing is wanted")
stop()
check("stopped")
print("ok")
