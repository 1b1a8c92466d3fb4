# SPDX-License-Identifier: Apache-2.0
import importlib
import sys

if "pyusdt" in globals():
    import pyusdt

    for _ in range(5):
        importlib.reload(pyusdt)
        for name in [name for name in sys.modules if name.startswith("pyusdt")]:
            del sys.modules[name]
        import pyusdt
    assert [sys.monitoring.get_tool(i) for i in range(6)].count("pyusdt") <= 1
print(sum(i for i in range(100)))
