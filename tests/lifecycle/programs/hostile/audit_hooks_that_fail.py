# SPDX-License-Identifier: Apache-2.0
import sys
import threading

armed = True
reported = []


def hook(event, args):
    if armed and event == "sys._current_frames":
        raise RuntimeError("not here")
    if armed and event == "object.__getattr__":
        reported.append(args)


sys.addaudithook(hook)


def work():
    return sum(i for i in range(50))


threads = [threading.Thread(target=work) for _ in range(10)]
for thread in threads:
    thread.start()
    work()
for thread in threads:
    thread.join()
if "pyusdt" in globals():
    import pyusdt

    pyusdt.libpyusdt.stop()
    pyusdt.libpyusdt.start()
    work()
armed = False
print(reported)
