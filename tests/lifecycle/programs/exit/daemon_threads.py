# SPDX-License-Identifier: Apache-2.0
import threading


def spin():
    while True:
        [i for i in range(100)]


def resume():
    while True:
        yield


for _ in range(3):
    threading.Thread(target=spin, daemon=True).start()
    threading.Thread(target=lambda: [None for _ in resume()], daemon=True).start()
