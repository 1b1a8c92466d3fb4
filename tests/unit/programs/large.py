# SPDX-License-Identifier: Apache-2.0
"""Who watches large blocks comes and goes while eight threads allocate, and recordings run."""

from __future__ import annotations

import ctypes
import os
import sys
import threading

from recorder.programs.takes import load
from semaphores import calm, down, up

import pyusdt

SWITCHES = 120
MIB = 1 << 20
library = load(os.environ["TAKES"])
stop = threading.Event()


def work() -> None:
    kept = []
    while not stop.is_set():
        kept.append(bytearray(2 * MIB))
        library.give(library.move(library.take(1000), 2 * MIB))
        library.unmap(library.map(3 * MIB), 3 * MIB)
        library.give(library.take_elsewhere(2 * MIB))
        kept.append([None] * 1000)
        if len(kept) > 8:
            kept.clear()


def fired() -> int:
    return pyusdt.status()["probes_fired"].get("mem__large", 0)


def allocator() -> bytes:
    """What allocates objects now."""
    found = ctypes.create_string_buffer(5 * ctypes.sizeof(ctypes.c_void_p))
    ctypes.pythonapi.PyMem_GetAllocator(2, found)
    return found.raw


def switch() -> None:
    before = fired()
    up("mem__large")
    while fired() == before:
        os.sched_yield()
    down("mem__large")


def wait_until_it_is_off() -> None:
    while allocator() != python or library.hooked() != native:
        os.sched_yield()


python, native = allocator(), library.hooked()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for i in range(SWITCHES):
    if i % 4 == 1:
        with pyusdt.record(memory=True):
            switch()
    else:
        switch()
    if i % 3 == 0:
        wait_until_it_is_off()
stop.set()
for thread in threads:
    thread.join()
calm()
wait_until_it_is_off()
before = fired()
work_once = bytearray(2 * MIB)
assert fired() == before
sys.stdout.write("null")
