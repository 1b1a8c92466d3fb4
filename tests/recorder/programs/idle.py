# SPDX-License-Identifier: Apache-2.0
"""Works, waits by itself, and waits in functions of the library."""

import threading
import time


def handle():
    return sum(range(200_000))


def wait_for_request():
    time.sleep(0.1)


def wait_for_event(event):
    event.wait(0.1)


def main():
    for _ in range(3):
        handle()
        wait_for_request()
        wait_for_event(threading.Event())


main()
