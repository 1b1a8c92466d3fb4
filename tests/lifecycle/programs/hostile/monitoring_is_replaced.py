# SPDX-License-Identifier: Apache-2.0
import sys

reported = []


class Monitoring:
    def __getattr__(self, name):
        reported.append(name)
        raise RuntimeError


for name in (
    "get_tool",
    "use_tool_id",
    "set_events",
    "register_callback",
    "free_tool_id",
    "restart_events",
    "get_events",
):
    setattr(sys.monitoring, name, lambda *args, name=name: reported.append(name))
sys.monitoring.events = None
sys.monitoring = Monitoring()


def work():
    return [i for i in range(5)]


for _ in range(1000):
    work()
if "semaphores" in globals() and "pyusdt" in globals():
    import pyusdt

    pyusdt.libpyusdt.stop()
    pyusdt.libpyusdt.start()
print(reported)
