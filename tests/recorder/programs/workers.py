# SPDX-License-Identifier: Apache-2.0
"""Calls work() 40 times in workers that its second argument names, in a recording that the program
makes itself: its first argument names how."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import pyusdt

CHILD = "from workers import work\nfor n in range(20): work(n)"


def work(n):
    return sum(range(n))


@pyusdt.record("out.pyusdt")
def decorated(n):
    return work(n)


def pool(method, function):
    with multiprocessing.get_context(method).Pool(2) as workers:
        workers.map(function, range(40), chunksize=1)
        workers.close()
        workers.join()


def processes(method, function):
    context = multiprocessing.get_context(method)
    workers = [context.Process(target=each, args=(function,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def each(function):
    for n in range(20):
        function(n)


def executor(method, function):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as workers:
        list(workers.map(function, range(40)))


def python(_method, _function):
    env = {**os.environ, "PYTHONPATH": os.environ["PYTHONPATH"] + ":" + os.path.dirname(__file__)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", CHILD], check=True, env=env)


if __name__ == "__main__":
    how, what, method = sys.argv[1:]
    if how == "decorated":
        globals()[what](method, decorated)
    else:
        with pyusdt.record("out.pyusdt", flush=0.1 if how == "flushed" else None):
            globals()[what](method, work)
        work(0)
        globals()[what](method, work)  # after the block: not recorded
