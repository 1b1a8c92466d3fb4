# SPDX-License-Identifier: Apache-2.0
import multiprocessing
import os
import subprocess
import sys
import threading

import pyusdt


def leaf():
    pass


def work(n):
    for i in pyusdt.steps(range(n), "round"):
        leaf()
    len([])


HELD = []


def hold(n):
    for _ in range(n):
        HELD.append(bytes(1000))


def thread(n):
    t = threading.Thread(target=work, args=(n,), name="helper")
    t.start()
    t.join()


def fork(n):
    """A child that works, and then waits for the end of the standard input."""
    child = os.fork()
    if child == 0:
        work(n)
        ready, told = TOLD
        os.close(told)
        os.read(ready, 1)
        os._exit(0)
    CHILDREN.append(child)
    print("child", child, flush=True)


def release(_):
    os.close(TOLD[1])
    for child in CHILDREN:
        os.waitpid(child, 0)


def start(_):
    """This program once more."""
    child = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    STARTED.append(child)
    child.stdout.readline()
    print("child", child.pid, flush=True)


def tell(n):
    """It to work."""
    STARTED[0].stdin.write(f"work {n}\n")
    STARTED[0].stdin.flush()
    STARTED[0].stdout.readline()


def pool(method):
    """Two workers, which multiprocessing starts."""
    POOL.append(multiprocessing.get_context(method).Pool(2))
    print("children", *{POOL[0].apply(os.getpid) for _ in range(200)}, flush=True)


def share(n):
    """Have the workers do the work."""
    POOL[0].map(work, [1] * n)


def end_pool(_):
    POOL[0].close()
    POOL[0].join()


def inside(n):
    with pyusdt.record(only="__main__:leaf") as rec:
        work(n)
    print("inside", sum(f.calls for f in rec.functions), flush=True)


def answer():
    print("ready", flush=True)
    for line in sys.stdin:
        what, n = line.split()
        globals()[what](int(n) if n.isdecimal() else n)
        print("done", what, flush=True)


if __name__ == "__main__":
    TOLD = os.pipe()
    CHILDREN, STARTED, POOL = [], [], []
    answer()
