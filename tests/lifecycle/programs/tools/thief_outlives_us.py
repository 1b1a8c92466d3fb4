# SPDX-License-Identifier: Apache-2.0
from thief import check, m, steal

from pyusdt.libpyusdt import start, stop

steal()
stop()
check("stopped")
start()
check("started again")
assert m.get_tool(3) == "pyusdt"
print("ok")
