# SPDX-License-Identifier: Apache-2.0
"""Works and naps, while it is recorded, under circumstances of all kinds; prints JSON."""

import json
import os
import sys
import tempfile
import threading
import time

import pyusdt

SECONDS = 0.3


def spin() -> None:
    end = time.thread_time() + SECONDS
    while time.thread_time() < end:
        pass


def nap() -> None:
    time.sleep(SECONDS)


def work() -> None:
    spin()
    nap()


def brief() -> None:
    end = time.thread_time() + 0.001
    while time.thread_time() < end:
        pass
    spent.append(time.thread_time())


def names() -> list[str]:
    found = []
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/comm") as file:
            found.append(file.read().strip())
    return sorted(name for name in found if name.startswith("pyusdt"))


def chroot() -> None:
    time.sleep(0.1)  # the sampler has begun
    os.chroot(tempfile.mkdtemp())
    work()


def drop_privileges() -> None:
    os.setgid(65534)
    os.setuid(65534)
    work()


def close_all() -> None:
    """As daemons do; then others get those numbers, which must stay open."""
    os.closerange(3, 1000)
    mine = [os.open("/dev/null", os.O_RDONLY) for _ in range(40)]
    work()
    for number in mine:
        os.close(number)


def many() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        threads = [threading.Thread(target=brief) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    answer["descriptors"] = len(os.listdir("/proc/self/fd")) - before
    answer["spent"] = sum(spent)


def plain() -> None:
    work()
    answer["sampler"] = pyusdt.status()["sampler"]


def with_names() -> None:
    plain()
    answer["names"] = names()


def late() -> None:
    """A thread that begins after that."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


spent: list[float] = []
answer: dict[str, object] = {}
with pyusdt.record():
    pyusdt.status()  # all is imported that is needed later
with pyusdt.record() as recorded:
    globals()[sys.argv[1]]()
    if sys.argv[1] not in ("many", "plain", "with_names"):
        late()
answer["functions"] = {
    f.record.qualname: [f.total_cpu_ns, f.total_waits] for f in recorded.functions
}
answer["losses"] = recorded.losses
answer["after"] = pyusdt.status()["sampler"]
sys.stdout.write(json.dumps(answer))
