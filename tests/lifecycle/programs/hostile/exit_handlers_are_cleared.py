# SPDX-License-Identifier: Apache-2.0
import atexit
import threading

atexit._clear()


class Last:
    def __del__(self):
        print([i for i in range(3)], flush=True)


last = Last()


def spin():
    while True:
        sum(i for i in range(100))


threading.Thread(target=spin, daemon=True).start()
print("end", flush=True)
