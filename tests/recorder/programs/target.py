# SPDX-License-Identifier: Apache-2.0
import os
import sys
import threading

import pyusdt


def leaf():
    pass


def work(n):
    for i in pyusdt.steps(range(n), "round"):
        leaf()
    len([])


def thread(n):
    t = threading.Thread(target=work, args=(n,), name="helper")
    t.start()
    t.join()


def fork(n):
    child = os.fork()
    if child == 0:
        work(n)
        pyusdt.libpyusdt.stop()
        pyusdt.libpyusdt.start()
        os._exit(bool(pyusdt.status()["events_on"] or pyusdt.status()["recorded"]))
    print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def inside(n):
    with pyusdt.record(only="__main__:leaf") as rec:
        work(n)
    print("inside", sum(f.calls for f in rec.functions), flush=True)


def answer():
    print("ready", flush=True)
    for line in sys.stdin:
        what, n = line.split()
        globals()[what](int(n))
        print("done", what, flush=True)


answer()
