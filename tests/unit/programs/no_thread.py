# SPDX-License-Identifier: Apache-2.0
"""Starts the core where the system has no more threads, as an import does, and records."""

import os
import resource

import pyusdt
import pyusdt.recorder
import pyusdt.recording
import pyusdt.remote.control_layout
from pyusdt import libpyusdt

libpyusdt.stop()
if os.geteuid() == 0:  # whom no limit holds
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
libpyusdt.start()
print(pyusdt.status()["watcher"])


def work() -> None: ...


with pyusdt.record() as recorded:
    work()
print([f.record.name for f in recorded.recording.functions if f.record.name == "work"])
