# SPDX-License-Identifier: Apache-2.0
import threading


def spin():
    while True:
        len([1])


for _ in range(4):
    threading.Thread(target=spin, daemon=True).start()
raise SystemExit("over")
