# SPDX-License-Identifier: Apache-2.0
import json

from semaphores import down, events, up, wait_for

up("function__done")
import pyusdt


def inner(n):
    if n:
        inner(n - 1)


def begins_alone():
    inner(1)
    up("LINE")
    wait_for(*frames, "LINE")
    inner(2)


def ends_alone():
    inner(4)
    down("LINE")
    wait_for(*frames)
    inner(6)


def begins_and_ends_alone():
    begins_alone()
    ends_alone()


frames = events()
begins_and_ends_alone()
print(json.dumps(pyusdt.status()["probes_fired"]["function__done"]))
