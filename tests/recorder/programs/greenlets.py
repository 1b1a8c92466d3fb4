# SPDX-License-Identifier: Apache-2.0
"""Functions that wait and functions that are busy, taking turns on one thread: greenlets.py KIND

The package of the greenlets is imported before the recording or, with KIND:late, within it. Prints
as JSON what was recorded, and how long spin() knows that it was busy.
"""

import importlib
import json
import sys
import time
import warnings

import pyusdt

warnings.simplefilter("ignore")  # eventlet's of itself
kind, _, late = sys.argv[1].partition(":")
package, _, patched = kind.partition("+")
WORKERS, ROUNDS = 5, 3
busy_ns = 0
sleep = time.sleep


def spin():
    global busy_ns
    begin = end = time.perf_counter_ns()
    while end < begin + 3_000_000:
        end = time.perf_counter_ns()
    busy_ns += end - begin


def pause():
    sleep(0.02)


def cheap():
    for _ in range(ROUNDS):
        pause()


def heavy():
    for _ in range(ROUNDS):
        spin()
        pause()


def fails():
    try:
        pause()
        raise LookupError
    finally:
        spin()


def everyone():
    return [f for _ in range(WORKERS) for f in (cheap, heavy)] + [expects]


def expects():
    try:
        fails()
    except LookupError:
        pause()


def run_threads():
    import threading

    threads = [threading.Thread(target=f) for f in everyone()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_gevent():
    import gevent

    gevent.joinall([gevent.spawn(f) for f in everyone()], raise_error=True)


def run_eventlet():
    import eventlet

    for thread in [eventlet.spawn(f) for f in everyone()]:
        thread.wait()


def run_greenlet():
    """A scheduler of the plainest kind: each one's turn comes when all others have had theirs."""
    import greenlet

    global sleep
    scheduler = greenlet.getcurrent()

    def switch(_seconds):
        scheduler.switch()

    sleep = switch
    waiting = [greenlet.greenlet(f) for f in everyone()]
    while waiting:
        for one in waiting:
            one.switch()
        waiting = [one for one in waiting if not one.dead]
    abandoned = greenlet.greenlet(cheap)
    abandoned.switch()
    del abandoned  # it ends here, by an exception
    killed = greenlet.greenlet(cheap)
    killed.switch()
    killed.throw()


def prepare():
    global sleep
    module = importlib.import_module(package)
    if patched and package == "gevent":
        importlib.import_module("gevent.monkey").patch_all()
    elif patched:
        module.monkey_patch()
    sleep = time.sleep if patched else getattr(module, "sleep", None)


def run():
    run_threads() if patched else globals()[f"run_{package}"]()


if not late:
    prepare()
with pyusdt.record(c_calls=late == "late,c") as recording:
    if late:
        prepare()
    run()

names = [record.qualname for record in recording.recording.records]
functions = {
    f.record.qualname: {
        "calls": f.calls,
        "self": f.self_ns,
        "total": f.total_ns,
        "callers": {names[i]: edge.calls for i, edge in f.callers.items() if edge.calls},
    }
    for f in recording.functions
    if f.record.module == "__main__"
}
print(json.dumps({"functions": functions, "busy": busy_ns, "losses": recording.losses}))
